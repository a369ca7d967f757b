#pragma once
#include "model/architectures.h"
#include "model/json_object.h"

namespace kvmend {

/// RoPE out of config.json: `rope_parameters` (transformers 5), or `rope_theta` and `rope_scaling`.
/// head_dim and context_length of `config` are set. Throws Error(data) for a scaling that is unknown or refused.
RopeConfig read_hf_rope(const JsonObject& json, const ModelConfig& config, const Architecture& architecture);

/// Of windowed layers, where the architecture's rotate otherwise: `rope_parameters.sliding_attention`, or
/// `rope_local_base_freq` without any scaling.
std::optional<RopeConfig> read_hf_window_rope(const JsonObject& json, const ModelConfig& config,
                                              const Architecture& architecture);

}  // namespace kvmend
