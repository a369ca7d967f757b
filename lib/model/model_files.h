#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/weight.h"
#include "core/value.h"
#include "model/config.h"

namespace kvmend {

/// What a tokenizer is built from, whichever file it came from. Either `json_path` (tokenizer.json) or the GGUF
/// fields are set.
struct TokenizerSource {
  std::filesystem::path json_path;        ///< Hugging Face tokenizer.json; tokenizer_config.json lies beside it
  std::string gguf_model, gguf_pre;       ///< tokenizer.ggml.model ("gpt2", "llama"), tokenizer.ggml.pre ("smollm")
  std::vector<std::string> tokens;        ///< GGUF: by id
  std::vector<std::string> merges;        ///< GGUF gpt2: "left right"
  std::vector<float> scores;              ///< GGUF llama
  std::vector<std::int32_t> token_types;  ///< GGUF: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  int bos = -1, eos = -1, eot = -1;       ///< −1: none; bos and eos of BERT are [CLS] and [SEP]
  int unknown = -1;                       ///< GGUF bert
  bool add_bos = false, add_space_prefix = true;
};

/// An opened model: a GGUF file (or its first shard) or a Hugging Face folder. Weights stay mapped.
/// Tensor names are GGUF's for both: token_embd.weight, output_norm.weight, output.weight, blk.N.attn_norm.weight,
/// blk.N.attn_{q,k,v,output}.{weight,bias}, blk.N.attn_{q,k}_norm.weight, blk.N.ffn_norm.weight, blk.N.ffn_{gate,up,down}.{weight,bias}.
/// Q and K rows are handed out in the order that pairs i with i + rotary/2, whatever the file's own order.
class ModelFiles {
 public:
  virtual ~ModelFiles() = default;
  virtual const ModelConfig& config() const = 0;
  virtual const TokenizerSource& tokenizer() const = 0;
  virtual std::string chat_template() const = 0;  ///< "" if the model has none
  /// Stop tokens that the files name beyond eos and eot (generation_config.json).
  virtual std::vector<int> stop_ids() const = 0;
  virtual bool has(std::string_view tensor) const = 0;
  /// Throws Error(data) naming the tensor, the shape wanted and the shape found, or that it is missing.
  virtual WeightSource matrix(std::string_view tensor, std::int64_t rows, std::int64_t cols) const = 0;
  virtual std::vector<float> vector(std::string_view tensor, std::int64_t size) const = 0;
  /// Of all matrices together.
  virtual WeightNeeds weight_needs() const { return {}; }
  /// The identity that cell keys and caches use: the SHA-256 of the weight file, or of the SHA-256 of several files
  /// (shards; config.json of a folder, which decides positions and shapes).
  virtual std::string sha256() const = 0;
  virtual std::filesystem::path path() const = 0;
};

/// Throws Error(data) for files that are missing, truncated, hostile or of an architecture we do not know.
std::unique_ptr<ModelFiles> open_model(const std::filesystem::path& path);

}  // namespace kvmend
