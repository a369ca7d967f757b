#include "model/hf_rope.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

using Scaling = RopeConfig::Scaling;

double required_number(const JsonObject& json, std::string_view key) {
  const auto value = json.number(key);
  if (!value) fail(ErrorKind::data, "{}: missing", json.where(key));
  return *value;
}

Scaling scaling_kind(const std::string& type, const JsonObject& rope) {
  if (type == "default" || type == "none") return Scaling::none;
  if (type == "linear") return Scaling::linear;
  if (type == "llama3") return Scaling::llama3;
  if (type == "yarn") return Scaling::yarn;
  const std::string where = rope.where(rope.has("rope_type") ? "rope_type" : "type");
  if (type == "dynamic" || type == "longrope" || type == "su") {
    fail(ErrorKind::data,
         "{}: RoPE scaling {} is refused: its frequencies depend on the whole prompt's length, so keys "
         "cached apart could not be placed into it",
         where, in_quotes(type));
  }
  fail(ErrorKind::data, "{}: the RoPE scaling {} is not known; default, linear, llama3 and yarn are", where,
       in_quotes(type));
}

/// The published rule (arXiv 2309.00071 §3.4) with DeepSeek's two optional multipliers of the logarithm.
double yarn_attention_factor(const JsonObject& json, double factor) {
  if (const auto given = json.number("attention_factor")) return *given;
  const auto mscale = json.number("mscale").value_or(0), all = json.number("mscale_all_dim").value_or(0);
  if (mscale == 0 || all == 0 || factor <= 1) return 0;
  return (0.1 * mscale * std::log(factor) + 1) / (0.1 * all * std::log(factor) + 1);
}

void read_scaling(RopeConfig& rope, const JsonObject& scaling, const JsonObject& json, int context_length) {
  const auto type = scaling.text("rope_type");
  rope.scaling = scaling_kind(type ? *type : scaling.text("type").value_or("default"), scaling);
  if (rope.scaling == Scaling::none) return;
  if (rope.scaling == Scaling::llama3 || rope.scaling == Scaling::yarn) {
    constexpr int most = std::numeric_limits<int>::max();
    const int inner = scaling.sized("original_max_position_embeddings", 1, most, context_length);
    rope.original_context = json.sized("original_max_position_embeddings", 1, most, inner);
  }
  if (rope.scaling == Scaling::yarn && !scaling.has("factor")) {
    rope.factor = static_cast<double>(context_length) / rope.original_context;
  } else {
    rope.factor = required_number(scaling, "factor");
  }
  if (rope.scaling == Scaling::llama3) {
    rope.low_freq_factor = required_number(scaling, "low_freq_factor");
    rope.high_freq_factor = required_number(scaling, "high_freq_factor");
  }
  if (rope.scaling == Scaling::yarn) {
    rope.attention_factor = yarn_attention_factor(scaling, rope.factor);
    rope.beta_fast = scaling.number("beta_fast").value_or(rope.beta_fast);
    rope.beta_slow = scaling.number("beta_slow").value_or(rope.beta_slow);
    rope.truncate = scaling.boolean("truncate").value_or(true);
  }
}

/// `parameters`: rope_parameters or what the older rope_scaling has; may be missing.
RopeConfig read_rope(const JsonObject& json, const std::optional<JsonObject>& parameters, double theta,
                     const ModelConfig& config, const Architecture& architecture) {
  RopeConfig rope;
  rope.rotary_dim = config.head_dim;
  rope.base = theta;
  const auto partial = json.number("partial_rotary_factor");
  const auto inner_partial = parameters ? parameters->number("partial_rotary_factor") : std::nullopt;
  if (partial.value_or(1) != 1 || inner_partial.value_or(1) != 1) {
    fail(ErrorKind::data, "{}: heads that rotate in part are not known for {} models",
         json.where("partial_rotary_factor"), architecture.name);
  }
  if (parameters) {
    rope.base = parameters->number("rope_theta").value_or(rope.base);
    read_scaling(rope, *parameters, json, config.context_length);
  }
  return rope;
}

/// transformers 5 has one set of parameters for each kind of layer where they differ.
std::optional<JsonObject> rope_parameters(const JsonObject& json, std::string_view layers) {
  const auto all = json.object("rope_parameters");
  return all && all->has(layers) ? all->object(layers) : all;
}

}  // namespace

RopeConfig read_hf_rope(const JsonObject& json, const ModelConfig& config, const Architecture& architecture) {
  auto parameters = rope_parameters(json, "full_attention");
  if (!parameters) parameters = json.object("rope_scaling");
  const double theta = json.number("rope_theta").value_or(architecture.hf_rope_theta);
  return read_rope(json, parameters, theta, config, architecture);
}

std::optional<RopeConfig> read_hf_window_rope(const JsonObject& json, const ModelConfig& config,
                                              const Architecture& architecture) {
  if (architecture.window_rope_theta == 0 || config.sliding_window == 0) return std::nullopt;
  const double theta = json.number("rope_local_base_freq").value_or(architecture.window_rope_theta);
  const auto all = json.object("rope_parameters");
  return read_rope(json, all ? all->object("sliding_attention") : std::nullopt, theta, config, architecture);
}

}  // namespace kvmend
