#include <cstring>
#include <map>

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
  std::vector<Named> out{{"token_embd.weight", c.vocab, c.d_model}};
  const auto norm = [&](const std::string& name, std::int64_t size) {
    out.push_back({name + ".weight", 1, size});
    if (c.norm == NormKind::layer) out.push_back({name + ".bias", 1, size});
  };
  norm(c.norm_place == NormPlace::after ? "token_embd_norm" : "output_norm", c.d_model);
  if (c.position == PositionKind::learned) out.push_back({"position_embd.weight", c.context_length, c.d_model});
  if (c.token_types > 0) out.push_back({"token_types.weight", c.token_types, c.d_model});
  if (!c.tied_head) out.push_back({"output.weight", c.vocab, c.d_model});
  for (int layer = 0; layer < c.n_layers; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    for (const auto& [name, rows, cols] :
         {Named{"attn_q.weight", q, c.d_model}, Named{"attn_k.weight", kv, c.d_model},
          Named{"attn_v.weight", kv, c.d_model}, Named{"attn_output.weight", c.d_model, q},
          Named{"ffn_up.weight", c.d_ff, c.d_model}, Named{"ffn_down.weight", c.d_model, c.d_ff}}) {
      out.push_back({blk + name, rows, cols});
    }
    if (c.gated_mlp) out.push_back({blk + "ffn_gate.weight", c.d_ff, c.d_model});
    const std::map<NormPlace, std::vector<std::string>> norms{
        {NormPlace::before, {"attn_norm", "ffn_norm"}},
        {NormPlace::around, {"attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"}},
        {NormPlace::after, {"attn_output_norm", "layer_output_norm"}}};
    for (const std::string& name : norms.at(c.norm_place)) norm(blk + name, c.d_model);
    if (c.qk_norm) {
      for (const char* name : {"attn_q_norm", "attn_k_norm"}) norm(blk + name, c.head_dim);
    }
    if (c.output_bias) out.push_back({blk + "attn_output.bias", 1, c.d_model});
    if (c.mlp_bias) out.insert(out.end(), {{blk + "ffn_up.bias", 1, c.d_ff}, {blk + "ffn_down.bias", 1, c.d_model}});
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
                                                {"tiny-mistral", "tiny-mistral-00001-of-00002.gguf"},
                                                {"tiny-qwen2", "tiny-qwen2.gguf"},
                                                {"tiny-qwen3", "tiny-qwen3.gguf"},
                                                {"tiny-gemma3", "tiny-gemma3.gguf"},
                                                {"tiny-gpt2", "tiny-gpt2.gguf"},
                                                {"tiny-bert", "tiny-bert.gguf"}}));
  const auto a = open_model(models / folder), b = open_model(models / gguf);
  CHECK(a->config().n_heads == b->config().n_heads);
  CHECK(a->config().tied_head == b->config().tied_head);
  CHECK(a->config().norm_eps == b->config().norm_eps);
  CHECK(a->config().rope.base == b->config().rope.base);
  CHECK(a->config().windowed == b->config().windowed);
  CHECK(a->config().attention_scale == b->config().attention_scale);
  CHECK(a->config().embedding_scale == b->config().embedding_scale);
  CHECK(a->config().window_rope.has_value() == b->config().window_rope.has_value());
  for (const auto& tensor : all_tensors(a->config())) {
    INFO(folder << " " << tensor.name);
    CHECK(read_all(*a, tensor) == read_all(*b, tensor));
  }
}
