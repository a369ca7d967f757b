#pragma once
// A model made of seeded random numbers, without files: for tests that need an engine, not a particular model.
#include <cmath>
#include <random>

#include "core/error.h"
#include "model/model_files.h"
#include "recompute/request.h"

namespace kvmend::test {

/// Weights large enough that attention is far from uniform, so that what a test compares can really differ.
class RandomModel final : public ModelFiles {
 public:
  explicit RandomModel(std::uint32_t seed = 1, bool qwen = false) : seed_(seed) {
    config_.architecture = qwen ? "qwen2" : "llama";
    config_.n_layers = 4;
    config_.d_model = 48;
    config_.n_heads = 6;
    config_.n_kv_heads = 2;
    config_.head_dim = 16;  // not d_model / n_heads: some architectures separate them
    config_.d_ff = 80;
    config_.vocab = 97;
    config_.context_length = 512;
    config_.rope.rotary_dim = 16;
    config_.qkv_bias = qwen;
    config_.tied_head = qwen;
  }
  ModelConfig& mutable_config() { return config_; }

  const ModelConfig& config() const override { return config_; }
  const TokenizerSource& tokenizer() const override { return tokenizer_; }
  std::string chat_template() const override { return ""; }
  std::vector<int> stop_ids() const override { return {}; }
  bool has(std::string_view) const override { return true; }
  std::string sha256() const override { return "random model " + std::to_string(seed_) + config_.architecture; }
  std::filesystem::path path() const override { return "random"; }

  WeightSource matrix(std::string_view name, std::int64_t rows, std::int64_t cols) const override {
    WeightSource source;
    source.name = name;
    source.rows = rows;
    source.cols = cols;
    const float scale = name.starts_with("token_embd") ? 1.0F : 1.6F / std::sqrt(static_cast<float>(cols));
    source.read_rows = [values = draw(name, rows * cols, scale), cols](std::int64_t first, std::int64_t count,
                                                                       float* out) {
      std::copy_n(values.begin() + first * cols, count * cols, out);
    };
    return source;
  }
  std::vector<float> vector(std::string_view name, std::int64_t size) const override {
    std::vector<float> out = draw(name, size, 0.2F);
    if (name.find("norm") != std::string_view::npos) {
      for (float& x : out) x += 1;
    }
    return out;
  }

 private:
  std::vector<float> draw(std::string_view name, std::int64_t size, float scale) const {
    std::mt19937 generator(seed_ ^ static_cast<std::uint32_t>(std::hash<std::string_view>{}(name)));
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> out(static_cast<std::size_t>(size));
    for (float& x : out) x = normal(generator);
    return out;
  }

  std::uint32_t seed_;
  ModelConfig config_;
  TokenizerSource tokenizer_;
};

/// The architectures that tests of whole strategies run on.
inline RandomModel random_model(const std::string& architecture, std::uint32_t seed = 1) {
  RandomModel files(seed, architecture == "qwen2");
  ModelConfig& config = files.mutable_config();
  config.architecture = architecture;
  config.qk_norm = architecture == "qwen3" || architecture == "gemma3";
  if (architecture == "gemma3") {
    config.norm_place = NormPlace::around;
    config.activation = Activation::gelu_tanh;
    config.tied_head = true;
    config.embedding_scale = 1.5F;  // Gemma's own would drown what its normed branches add in so narrow a model
    config.sliding_window = 24;
    config.windowed = {true, true, false, true};
    config.window_rope = config.rope;
    config.rope.base = 1e6;
  }
  if (architecture == "gpt2") {
    config.norm = NormKind::layer;
    config.position = PositionKind::learned;
    config.activation = Activation::gelu_tanh;
    config.gated_mlp = false;
    config.qkv_bias = config.output_bias = config.mlp_bias = true;
  }
  return files;
}

/// Units of the given sizes (the first a prefix if asked) and a query whose question is its middle.
inline Request random_request(const std::vector<int>& sizes, bool prefix, int n_query, std::uint32_t seed = 7) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> id(3, 96);
  Request request;
  int end = 0;
  for (std::size_t u = 0; u < sizes.size(); ++u) {
    request.units.push_back({prefix && u == 0 ? UnitKind::prefix : UnitKind::chunk, end, end + sizes[u]});
    end += sizes[u];
  }
  for (int i = 0; i < end; ++i) request.context_ids.push_back(id(generator));
  for (int i = 0; i < n_query; ++i) request.query_ids.push_back(id(generator));
  // Some text behind the ids, two bytes a token: what another tokenizer reads.
  for (int i = 0; i < request.n_tokens(); ++i) {
    request.token_begin.push_back(static_cast<std::uint32_t>(request.text.size()));
    const std::int32_t at = i < end ? request.context_ids[static_cast<std::size_t>(i)]
                                    : request.query_ids[static_cast<std::size_t>(i - end)];
    request.text += {static_cast<char>('a' + at % 26), at % 3 == 0 ? ' ' : static_cast<char>('a' + at % 7)};
    request.token_end.push_back(static_cast<std::uint32_t>(request.text.size()));
  }
  request.question_begin = n_query > 2 ? 1 : 0;
  request.question_end = n_query > 2 ? n_query - 1 : n_query;
  return request;
}

}  // namespace kvmend::test
