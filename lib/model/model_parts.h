#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/architectures.h"
#include "model/model_files.h"
#include "model/stored_tensor.h"

namespace kvmend {

/// What the reader of one file format found, before tensors get our names and row order.
struct ModelParts {
  ModelConfig config;
  const Architecture* architecture = nullptr;
  TokenizerSource tokenizer;
  std::string chat_template;
  std::vector<int> stop_ids;
  std::shared_ptr<const TensorSet> tensors;
  bool hf_names = false;           ///< tensors have Hugging Face's names, else GGUF's
  bool interleaved_heads = false;  ///< Q and K rows come in the order of pairs (2i, 2i + 1)
  /// Files whose content makes the model what it is: weights, and the configuration where it is a file of its own.
  std::vector<std::filesystem::path> identity;
};

ModelParts read_gguf_parts(const std::filesystem::path& file);
ModelParts read_hf_parts(const std::filesystem::path& folder);

/// Sizes that fit each other and a machine. Throws Error(data) that begins with `where`.
void check_config(const ModelConfig& config, const std::string& where);

}  // namespace kvmend
