#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kvmend {
namespace {

using Scaling = RopeConfig::Scaling;
constexpr float two_pi = static_cast<float>(2 * std::numbers::pi);

/// base^(2i / rotary_dim), before any scaling.
std::vector<float> wave_numbers(const RopeConfig& config) {
  std::vector<float> out(static_cast<std::size_t>(config.rotary_dim / 2));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(config.rotary_dim);
    // Rounded once: within an ulp of any float32 power function, and the same on every machine.
    out[i] = static_cast<float>(
        std::pow(static_cast<double>(static_cast<float>(config.base)), static_cast<double>(exponent)));
    if (!config.frequency_factors.empty()) out[i] *= config.frequency_factors[i];
  }
  return out;
}

/// Long waves are stretched, short ones kept, those between interpolated.
float llama3_frequency(const RopeConfig& config, float frequency) {
  const auto factor = static_cast<float>(config.factor), low = static_cast<float>(config.low_freq_factor);
  const float wavelength = two_pi / frequency;
  if (wavelength > static_cast<float>(config.original_context / config.low_freq_factor)) return frequency / factor;
  if (wavelength < static_cast<float>(config.original_context / config.high_freq_factor)) return frequency;
  const float smooth = (static_cast<float>(config.original_context) / wavelength - low) /
                       static_cast<float>(config.high_freq_factor - config.low_freq_factor);
  return (1 - smooth) * frequency / factor + smooth * frequency;
}

/// The pairs between which yarn goes from keeping frequencies to dividing them.
struct YarnRange {
  double low, high;
};
YarnRange yarn_range(const RopeConfig& config) {
  const auto pair_that_turns = [&](double rotations) {  // within the original context
    return config.rotary_dim * std::log(config.original_context / (rotations * 2 * std::numbers::pi)) /
           (2 * std::log(config.base));
  };
  double low = pair_that_turns(config.beta_fast), high = pair_that_turns(config.beta_slow);
  if (config.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, config.rotary_dim - 1.0);
  return {low, low == high ? high + 0.001 : high};
}

std::vector<float> yarn_frequencies(const RopeConfig& config, const std::vector<float>& waves) {
  const auto [low, high] = yarn_range(config);
  std::vector<float> out(waves.size());
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const float ramp = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    const float keep = 1 - std::clamp(ramp, 0.0F, 1.0F);
    const float kept = 1.0F / waves[i], divided = 1.0F / (static_cast<float>(config.factor) * waves[i]);
    out[i] = divided * (1 - keep) + kept * keep;
  }
  return out;
}

}  // namespace

std::vector<float> rope_inverse_frequencies(const RopeConfig& config) {
  const std::vector<float> waves = wave_numbers(config);
  if (config.scaling == Scaling::yarn) return yarn_frequencies(config, waves);
  std::vector<float> out(waves.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = 1.0F / waves[i];
    if (config.scaling == Scaling::linear) out[i] /= static_cast<float>(config.factor);
    if (config.scaling == Scaling::llama3 && config.frequency_factors.empty())
      out[i] = llama3_frequency(config, out[i]);
  }
  return out;
}

float rope_attention_factor(const RopeConfig& config) {
  if (config.scaling != Scaling::yarn) return 1;
  if (config.attention_factor > 0) return static_cast<float>(config.attention_factor);
  return config.factor <= 1 ? 1.0F : static_cast<float>(0.1 * std::log(config.factor) + 1);
}

std::vector<float> rope_table(const RopeConfig& config, int positions) {
  const std::vector<float> frequencies = rope_inverse_frequencies(config);
  const float factor = rope_attention_factor(config);
  const std::size_t half = frequencies.size();
  std::vector<float> table(static_cast<std::size_t>(positions) * 2 * half);
  for (int position = 0; position < positions; ++position) {
    float* row = table.data() + static_cast<std::size_t>(position) * 2 * half;
    for (std::size_t i = 0; i < half; ++i) {
      const float angle =
          static_cast<float>(position) * frequencies[i];  // rounded to float32, as the models were trained
      row[i] = std::cos(angle) * factor;
      row[half + i] = std::sin(angle) * factor;
    }
  }
  return table;
}

}  // namespace kvmend
