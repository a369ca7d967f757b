#pragma once
#include <vector>

#include "model/config.h"

namespace kvmend {

/// Radians a position turns each pair by, [rotary_dim / 2], scaling included. Computed in float32 step by step as
/// transformers does (llama3: Llama 3.1's release; yarn: arXiv 2309.00071 §3.2), so that angles agree at long positions.
std::vector<float> rope_inverse_frequencies(const RopeConfig& config);

/// What cosines and sines are multiplied by: 1 but for yarn (arXiv 2309.00071 §3.4).
float rope_attention_factor(const RopeConfig& config);

/// [positions, rotary_dim]: of each position rotary_dim/2 cosines, then as many sines, attention factor included.
std::vector<float> rope_table(const RopeConfig& config, int positions);

}  // namespace kvmend
