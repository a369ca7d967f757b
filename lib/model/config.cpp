#include "model/config.h"

#include "core/error.h"
#include "model/model_parts.h"

namespace kvmend {
namespace {

struct Limit {
  const char* name;
  std::int64_t value, most;
};

void check_rope(const RopeConfig& rope, int head_dim, const std::string& where) {
  constexpr double least = 1e-6, most = 1e15;  // far from where float32 would overflow
  const auto positive = [&](double value, const char* name) {
    if (!(value >= least && value <= most)) {
      fail(ErrorKind::data, "{}: RoPE's {} is {}; {} to {} are possible", where, name, value, least, most);
    }
  };
  if (rope.rotary_dim < 2 || rope.rotary_dim > head_dim || rope.rotary_dim % 2 != 0) {
    fail(ErrorKind::data, "{}: {} of a head's {} columns rotate; an even number of them must", where, rope.rotary_dim,
         head_dim);
  }
  positive(rope.base, "base");
  if (rope.base <= 1) fail(ErrorKind::data, "{}: RoPE's base is {}; it must exceed 1", where, rope.base);
  positive(rope.factor, "scaling factor");
  if (rope.scaling == RopeConfig::Scaling::llama3) {
    positive(rope.low_freq_factor, "low_freq_factor");
    if (!(rope.high_freq_factor > rope.low_freq_factor)) {
      fail(ErrorKind::data, "{}: RoPE's high_freq_factor {} does not exceed its low_freq_factor {}", where,
           rope.high_freq_factor, rope.low_freq_factor);
    }
  }
  if (rope.scaling == RopeConfig::Scaling::llama3 || rope.scaling == RopeConfig::Scaling::yarn) {
    positive(rope.original_context, "original context length");
  }
  if (rope.scaling == RopeConfig::Scaling::yarn) {
    positive(rope.beta_fast, "beta_fast");
    positive(rope.beta_slow, "beta_slow");
    if (rope.attention_factor != 0) positive(rope.attention_factor, "attention factor");
  }
  for (const float factor : rope.frequency_factors) positive(static_cast<double>(factor), "frequency factor");
}

}  // namespace

void check_config(const ModelConfig& config, const std::string& where) {
  constexpr std::int64_t million = 1 << 20;
  for (const auto& [name, value, most] :
       {Limit{"number of layers", config.n_layers, 4096}, Limit{"model width", config.d_model, million},
        Limit{"number of heads", config.n_heads, 4096}, Limit{"number of key/value heads", config.n_kv_heads, 4096},
        Limit{"head width", config.head_dim, 4096}, Limit{"feed-forward width", config.d_ff, 4 * million},
        Limit{"vocabulary", config.vocab, 64 * million},
        Limit{"context length", config.context_length, 1024 * million}}) {
    if (value < 1 || value > most) {
      fail(ErrorKind::data, "{}: the {} is {}; 1 to {} are possible", where, name, value, most);
    }
  }
  if (config.n_heads % config.n_kv_heads != 0) {
    fail(ErrorKind::data, "{}: {} query heads cannot share {} key/value heads evenly", where, config.n_heads,
         config.n_kv_heads);
  }
  if (!(config.norm_eps >= 0) || config.norm_eps >= 1) {
    fail(ErrorKind::data, "{}: the norm's epsilon is {}", where, config.norm_eps);
  }
  if (config.sliding_window < 0) fail(ErrorKind::data, "{}: the sliding window is {}", where, config.sliding_window);
  if (config.attention_scale < 0 || !(config.attention_scale <= 1)) {
    fail(ErrorKind::data, "{}: attention's scale is {}; at most 1 is possible", where, config.attention_scale);
  }
  if (config.position != PositionKind::rope) return;
  check_rope(config.rope, config.head_dim, where);
  if (config.window_rope) check_rope(*config.window_rope, config.head_dim, where + ": windowed layers");
}

}  // namespace kvmend
