#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "model/dequant.h"
#include "model/gguf.h"
#include "model/gguf_tokenizer.h"
#include "model/in_quotes.h"
#include "model/model_parts.h"

// A GGUF model's metadata as our configuration. Keys: "{architecture}.…" and "tokenizer.…" of the GGUF specification.

namespace kvmend {
namespace {

constexpr const char* total_length_reason =
    "its frequencies depend on the whole prompt's length, so keys cached apart could not be placed into it";

/// Typed access to the keys of one architecture.
class Keys {
 public:
  Keys(const GgufMetadata& metadata, std::string prefix) : metadata_(metadata), prefix_(std::move(prefix) + ".") {}

  std::string key(std::string_view name) const { return prefix_ + std::string(name); }
  std::string where(std::string_view name) const { return metadata_.file() + ": key " + in_quotes(key(name)); }
  bool has(std::string_view name) const { return metadata_.has(key(name)); }
  double number(std::string_view name, double missing) const { return metadata_.number(key(name)).value_or(missing); }
  std::optional<std::string> text(std::string_view name) const { return metadata_.text(key(name)); }

  /// An integer in int's range; without a default the key must be there.
  int size(std::string_view name, std::optional<int> missing = {}) const {
    const auto value = metadata_.integer(key(name));
    if (!value && !missing) fail(ErrorKind::data, "{}: missing", where(name));
    if (value && (*value < 0 || *value > std::numeric_limits<int>::max())) {
      fail(ErrorKind::data, "{}: {} is out of range", where(name), *value);
    }
    return value ? static_cast<int>(*value) : *missing;
  }

 private:
  const GgufMetadata& metadata_;
  std::string prefix_;
};

void read_yarn(RopeConfig& rope, const Keys& keys) {
  rope.scaling = RopeConfig::Scaling::yarn;
  rope.beta_fast = keys.number("rope.scaling.yarn_beta_fast", rope.beta_fast);
  rope.beta_slow = keys.number("rope.scaling.yarn_beta_slow", rope.beta_slow);
  // GGUF's factor multiplies the one that follows from the scale (arXiv 2309.00071 §3.4); ours replaces it.
  const double extra = keys.number("rope.scaling.attn_factor", keys.number("rope.scaling.yarn_attn_factor", 1));
  if (extra != 1) rope.attention_factor = extra * (rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1);
  for (const char* name : {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier"}) {
    if (keys.has(name)) fail(ErrorKind::data, "{}: this variant of YaRN is not supported", keys.where(name));
  }
}

/// rope_freqs.weight: Llama 3's scaling as a divisor per frequency.
std::vector<float> read_frequency_factors(const TensorSet& tensors, const RopeConfig& rope) {
  const StoredTensor* stored = tensors.find("rope_freqs.weight");
  if (!stored) return {};
  const std::vector<std::int64_t> wanted{rope.rotary_dim / 2};
  if (stored->shape != wanted || stored->type != StoredType::f32) {
    fail(ErrorKind::data, "{}: tensor 'rope_freqs.weight' is {} of shape {}; expected F32 of shape {}", stored->file,
         stored->type_name, shape_text(stored->shape), shape_text(wanted));
  }
  std::vector<float> factors(static_cast<std::size_t>(rope.rotary_dim / 2));
  dequantise(StoredType::f32, stored->bytes.data(), rope.rotary_dim / 2, factors.data());
  return factors;
}

RopeConfig read_rope(const Keys& keys, const ModelConfig& config, const TensorSet& tensors) {
  RopeConfig rope;
  rope.base = keys.number("rope.freq_base", 10000);
  rope.rotary_dim = keys.size("rope.dimension_count", config.head_dim);
  const double scale = keys.number("rope.scale_linear", 1);  // how old files wrote linear scaling
  rope.factor = keys.number("rope.scaling.factor", scale);
  rope.original_context = keys.size("rope.scaling.original_context_length", config.context_length);
  const std::string type = keys.text("rope.scaling.type").value_or(rope.factor != 1 ? "linear" : "none");
  if (type == "linear") {
    rope.scaling = RopeConfig::Scaling::linear;
  } else if (type == "yarn") {
    read_yarn(rope, keys);
  } else if (type == "longrope" || tensors.find("rope_factors_long.weight")) {
    fail(ErrorKind::data, "{}: RoPE scaling 'longrope' is refused: {}", keys.where("rope.scaling.type"),
         total_length_reason);
  } else if (type != "none") {
    fail(ErrorKind::data, "{}: the RoPE scaling {} is not known; none, linear and yarn are",
         keys.where("rope.scaling.type"), in_quotes(type));
  }
  rope.frequency_factors = read_frequency_factors(tensors, rope);
  return rope;
}

void refuse_unsupported(const Keys& keys) {
  if (keys.size("expert_count", 0) > 0) {
    fail(ErrorKind::data, "{}: mixtures of experts are not supported", keys.where("expert_count"));
  }
  for (const char* name : {"logit_scale", "residual_scale", "embedding_scale", "attn_logit_softcapping",
                           "final_logit_softcapping", "attention.clamp_kqv"}) {
    if (keys.has(name))
      fail(ErrorKind::data, "{}: this variant of the architecture is not supported", keys.where(name));
  }
}

/// Which layers the window holds for follows from the architecture.
void read_window(ModelConfig& config, const Keys& keys, const Architecture& architecture) {
  config.sliding_window = keys.size("attention.sliding_window", 0);
  if (config.sliding_window == 0) return;
  if (architecture.gguf_window == WindowRule::all_layers) return;
  if (architecture.gguf_window != WindowRule::all_but_sixth) {
    fail(ErrorKind::data, "{}: the file does not say which layers of a {} model the window holds for",
         keys.where("attention.sliding_window"), architecture.name);
  }
  const int period = keys.size("attention.sliding_window_pattern", 6);
  if (period < 1) fail(ErrorKind::data, "{}: {} is no period", keys.where("attention.sliding_window_pattern"), period);
  config.windowed = all_but_every(period, config.n_layers);
  if (period == 1) config.sliding_window = 0;
}

ModelConfig read_config(const GgufMetadata& metadata, const Architecture& architecture, const TensorSet& tensors) {
  const Keys keys(metadata, std::string(architecture.name));
  refuse_unsupported(keys);
  ModelConfig config = architecture.base;
  config.architecture = architecture.name;
  config.name = metadata.text("general.name").value_or(std::string(architecture.name));
  config.n_layers = keys.size("block_count");
  config.d_model = keys.size("embedding_length");
  config.d_ff = keys.size("feed_forward_length");
  config.context_length = keys.size("context_length");
  config.n_heads = keys.size("attention.head_count");
  config.n_kv_heads = keys.size("attention.head_count_kv", config.n_heads);
  config.head_dim = keys.size("attention.key_length", config.n_heads ? config.d_model / config.n_heads : 0);
  if (keys.size("attention.value_length", config.head_dim) != config.head_dim) {
    fail(ErrorKind::data, "{}: values of another width than keys are not supported",
         keys.where("attention.value_length"));
  }
  const char* epsilon =
      config.norm == NormKind::layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon";
  config.norm_eps = static_cast<float>(keys.number(epsilon, 1e-5));
  config.attention_scale = static_cast<float>(keys.number("attention.scale", 0));
  read_window(config, keys, architecture);
  if (architecture.scales_embeddings) config.embedding_scale = std::sqrt(static_cast<float>(config.d_model));
  // The number of embedding rows is what the head computes; `vocab_size` may leave out padding.
  const StoredTensor* embedding = tensors.find("token_embd.weight");
  if (!embedding) fail(ErrorKind::data, "{}: tensor 'token_embd.weight' is missing", metadata.file());
  config.vocab = static_cast<int>(std::min<std::int64_t>(embedding->shape.front(), std::numeric_limits<int>::max()));
  config.tied_head = !tensors.find("output.weight");
  for (const Presence group : architecture.optional) {
    if (group == Presence::qkv_bias) config.qkv_bias = tensors.find("blk.0.attn_q.bias");
    if (group == Presence::output_bias) config.output_bias = tensors.find("blk.0.attn_output.bias");
    if (group == Presence::mlp_bias) config.mlp_bias = tensors.find("blk.0.ffn_up.bias");
  }
  if (const StoredTensor* segments = tensors.find("token_types.weight"); segments && config.token_types > 0) {
    config.token_types = static_cast<int>(std::min<std::int64_t>(segments->shape.front(), 1 << 10));
  }
  if (config.position != PositionKind::rope) return config;
  config.rope = read_rope(keys, config, tensors);
  if (architecture.window_rope_theta > 0 && config.sliding_window > 0) {
    config.window_rope = RopeConfig{};
    config.window_rope->rotary_dim = config.rope.rotary_dim;
    config.window_rope->base = keys.number("rope.freq_base_swa", architecture.window_rope_theta);
  }
  // The one Gemma 3 whose queries are scaled by another width than their heads'; no key says so.
  const bool gemma3_27b = architecture.name == "gemma3" && config.n_layers == 62 && config.n_heads > 0;
  if (gemma3_27b && config.attention_scale == 0) {
    config.attention_scale = 1 / std::sqrt(static_cast<float>(config.d_model) / static_cast<float>(config.n_heads));
  }
  return config;
}

}  // namespace

ModelParts read_gguf_parts(const std::filesystem::path& path) {
  GgufModel model = read_gguf_model(path);
  const std::string file = path.string();
  const auto name = model.metadata.text("general.architecture");
  if (!name) fail(ErrorKind::data, "{}: key 'general.architecture' is missing", file);

  ModelParts parts;
  parts.architecture = &find_gguf_architecture(*name, file);
  parts.interleaved_heads = parts.architecture->gguf_interleaves_heads;
  parts.config = read_config(model.metadata, *parts.architecture, model.tensors);
  check_config(parts.config, file);
  parts.tokenizer = read_gguf_tokenizer(model.metadata, parts.config.vocab);
  parts.chat_template = model.metadata.text("tokenizer.chat_template").value_or("");
  if (const int id = gguf_token_id(model.metadata, "tokenizer.ggml.eom_token_id", parts.config.vocab); id >= 0) {
    parts.stop_ids.push_back(id);
  }
  for (const auto& map : model.tensors.files()) parts.identity.push_back(map.path());
  parts.tensors = std::make_shared<const TensorSet>(std::move(model.tensors));
  return parts;
}

}  // namespace kvmend
