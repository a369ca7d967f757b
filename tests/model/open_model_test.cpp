#include <cstring>

#include "catch.h"
#include "core/file.h"
#include "model/model_files.h"
#include "paths.h"

using namespace kvmend;

namespace {

const std::filesystem::path models = std::filesystem::path(source_folder()) / "tests/data/models";

struct Named {
  std::string name;
  std::int64_t rows, cols;
};

/// Every tensor of the models' configuration.
std::vector<Named> all_tensors(const ModelConfig& c) {
  const std::int64_t q = c.n_heads * c.head_dim, kv = c.n_kv_heads * c.head_dim;
  std::vector<Named> out{{"token_embd.weight", c.vocab, c.d_model}, {"output_norm.weight", 1, c.d_model}};
  if (!c.tied_head) out.push_back({"output.weight", c.vocab, c.d_model});
  for (int layer = 0; layer < c.n_layers; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    for (const auto& [name, rows, cols] :
         {Named{"attn_norm.weight", 1, c.d_model}, Named{"attn_q.weight", q, c.d_model},
          Named{"attn_k.weight", kv, c.d_model}, Named{"attn_v.weight", kv, c.d_model},
          Named{"attn_output.weight", c.d_model, q}, Named{"ffn_norm.weight", 1, c.d_model},
          Named{"ffn_gate.weight", c.d_ff, c.d_model}, Named{"ffn_up.weight", c.d_ff, c.d_model},
          Named{"ffn_down.weight", c.d_model, c.d_ff}}) {
      out.push_back({blk + name, rows, cols});
    }
    if (c.qkv_bias) {
      out.insert(out.end(), {{blk + "attn_q.bias", 1, q}, {blk + "attn_k.bias", 1, kv}, {blk + "attn_v.bias", 1, kv}});
    }
  }
  return out;
}

std::vector<float> read_all(const ModelFiles& files, const Named& tensor) {
  if (tensor.rows == 1) return files.vector(tensor.name, tensor.cols);
  std::vector<float> out(static_cast<std::size_t>(tensor.rows * tensor.cols));
  files.matrix(tensor.name, tensor.rows, tensor.cols).read_rows(0, tensor.rows, out.data());
  return out;
}

}  // namespace

TEST_CASE("a GGUF file and a safetensors folder of one model give the same weights", "[files]") {
  const auto [folder, gguf] =
      GENERATE(table<std::string, std::string>({{"tiny-llama", "tiny-llama.gguf"},
                                                {"tiny-llama3", "tiny-llama3.gguf"},
                                                {"tiny-mistral", "tiny-mistral-00001-of-00002.gguf"}}));
  const auto a = open_model(models / folder), b = open_model(models / gguf);
  CHECK(a->config().n_heads == b->config().n_heads);
  CHECK(a->config().tied_head == b->config().tied_head);
  CHECK(a->config().norm_eps == b->config().norm_eps);
  CHECK(a->config().rope.base == b->config().rope.base);
  for (const auto& tensor : all_tensors(a->config())) {
    INFO(folder << " " << tensor.name);
    CHECK(read_all(*a, tensor) == read_all(*b, tensor));
  }
}
