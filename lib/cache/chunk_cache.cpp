#include "cache/chunk_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/hash.h"

namespace kvmend {
namespace {

/// Changes whenever the meaning of the stored numbers does.
constexpr std::string_view format_version = "kvmend chunk 2";

/// Each part with its length before it: no two lists of parts give the same text.
void append(std::string& text, std::string_view part) {
  const auto size = static_cast<std::uint64_t>(part.size());
  text.append(reinterpret_cast<const char*>(&size), sizeof size);
  text.append(part);
}

void append(std::string& text, const std::vector<std::int32_t>& ids) {
  append(text, {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(std::int32_t)});
}

std::string rope_identity(const RopeConfig& config) {
  // A structured binding names every field: adding one to the struct does not compile until it is considered here.
  const auto& [base, rotary_dim, scaling, factor, low, high, original_context, beta_fast, beta_slow, attention_factor,
               truncate, frequency_factors] = config;
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {:d} [{}]", base, rotary_dim, static_cast<int>(scaling), factor,
                     low, high, original_context, beta_fast, beta_slow, attention_factor, truncate,
                     fmt::join(frequency_factors, " "));
}

}  // namespace

std::int64_t ChunkCache::bytes() const {
  std::int64_t sum = 0;
  for (const LayerKv& layer : layers) sum += layer.k.bytes() + layer.v.bytes();
  return sum;
}

std::string model_identity(const ModelConfig& config) {
  const auto& [architecture, name, n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, vocab, context_length, norm,
               norm_place, norm_eps, position, rope, window_rope, causal, attention_scale, activation, gated_mlp,
               qkv_bias, output_bias, mlp_bias, qk_norm, tied_head, embedding_scale, token_types, sliding_window,
               windowed] = config;
  // Left out: what people call the model, how long a prompt it takes, what comes behind the last layer.
  static_cast<void>(name), static_cast<void>(context_length), static_cast<void>(tied_head);
  std::string text =
      fmt::format("{} {} {} {} {} {} {} {} norm {} {} {} position {} mlp {} {} bias {:d}{:d}{:d} qk_norm {:d} scale {}",
                  architecture, n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, vocab, static_cast<int>(norm),
                  static_cast<int>(norm_place), norm_eps, static_cast<int>(position), static_cast<int>(activation),
                  gated_mlp, qkv_bias, output_bias, mlp_bias, qk_norm, embedding_scale);
  text += fmt::format(" causal {:d} attention scale {} segments {}", causal, attention_scale, token_types);
  text += fmt::format(" window {} ", sliding_window);
  for (const bool layer : windowed) text += layer ? '1' : '0';
  if (window_rope) text += " window rope " + rope_identity(*window_rope);
  return text + " rope " + rope_identity(rope);
}

std::string ChunkKey::digest() const {
  std::string text;
  append(text, format_version);
  append(text, weights_sha256);
  append(text, model);
  append(text, dtype_name(dtype));
  append(text, backend);
  append(text, sink_ids);
  append(text, unit_ids);
  return sha256(text);
}

}  // namespace kvmend
