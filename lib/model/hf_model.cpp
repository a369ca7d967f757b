#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "model/hf_rope.h"
#include "model/in_quotes.h"
#include "model/json_object.h"
#include "model/model_parts.h"
#include "model/safetensors.h"

// A Hugging Face folder: config.json as our configuration, and the files beside it. Missing keys take the values that
// the model type's configuration class in transformers gives them.

namespace kvmend {

namespace fs = std::filesystem;

namespace {

constexpr int most = std::numeric_limits<int>::max();

Activation read_activation(const JsonObject& json, const HfKeys& keys) {
  const std::string name = json.text(keys.activation).value_or(std::string(keys.default_activation));
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new") return Activation::gelu_tanh;
  fail(ErrorKind::data, "{}: the activation {} is not known; silu, gelu and gelu_pytorch_tanh are",
       json.where(keys.activation), in_quotes(name));
}

/// `layer_types`: "sliding_attention" or "full_attention" a layer.
std::vector<bool> read_layer_types(const JsonObject& json, int n_layers) {
  const auto* list = json.find("layer_types");
  std::vector<bool> windowed;
  if (list && list->is_array()) {
    for (const auto& item : *list) {
      if (item == "sliding_attention" || item == "full_attention") windowed.push_back(item == "sliding_attention");
    }
  }
  if (!list || !list->is_array() || list->size() != windowed.size() || std::ssize(windowed) != n_layers) {
    fail(ErrorKind::data, "{}: expected \"sliding_attention\" or \"full_attention\" for each of {} layers",
         json.where("layer_types"), n_layers);
  }
  return windowed;
}

void read_window(ModelConfig& config, const JsonObject& json, const HfType& type) {
  if (type.window == WindowRule::none) return;
  // A key that is null means no window; one that is missing, the default.
  const int missing = json.raw().contains("sliding_window") ? 0 : type.default_window;
  config.sliding_window = json.sized("sliding_window", 0, most, missing);
  if (type.window == WindowRule::all_layers) return;
  if (type.window == WindowRule::upper_layers && !json.boolean("use_sliding_window").value_or(false)) {
    config.sliding_window = 0;
  }
  if (config.sliding_window == 0) return;
  if (json.has("layer_types")) {
    config.windowed = read_layer_types(json, config.n_layers);
  } else if (type.window == WindowRule::all_but_sixth) {
    config.windowed = all_but_every(json.sized("sliding_window_pattern", 1, most, 6), config.n_layers);
  } else {
    const int first = json.sized("max_window_layers", 0, most, 28);
    for (int layer = 0; layer < config.n_layers; ++layer) config.windowed.push_back(layer >= first);
  }
  const bool any = std::find(config.windowed.begin(), config.windowed.end(), true) != config.windowed.end();
  if (!any) {
    config.sliding_window = 0;
    config.windowed.clear();
  }
}

void check_fixed(const JsonObject& json, const Architecture& architecture) {
  for (const auto& [key, value] : architecture.hf_fixed) {
    const auto* found = json.find(key);
    if (!found || *found == nlohmann::json::parse(value)) continue;
    fail(ErrorKind::data, "{}: {} models with another value than {} are not supported", json.where(key),
         architecture.name, value);
  }
}

ModelConfig read_config(const JsonObject& json, const HfArchitecture& found) {
  const auto& [architecture, type] = found;
  const HfKeys& keys = architecture.hf_keys;
  check_fixed(json, architecture);
  ModelConfig config = architecture.base;
  config.architecture = architecture.name;
  config.n_layers = json.sized(keys.n_layers, 1, most);
  config.d_model = json.sized(keys.d_model, 1, most);
  const std::optional<int> widened =
      keys.default_widening ? std::optional(keys.default_widening * config.d_model) : std::nullopt;
  config.d_ff = json.sized(keys.d_ff, 1, most, widened);
  config.vocab = json.sized("vocab_size", 1, most);
  config.context_length = json.sized(keys.context_length, 1, most);
  config.n_heads = json.sized(keys.n_heads, 1, most);
  const bool kv_named = json.raw().contains("num_key_value_heads");
  const int kv_missing = kv_named || type.default_kv_heads == 0 ? config.n_heads : type.default_kv_heads;
  config.n_kv_heads = json.sized("num_key_value_heads", 1, most, kv_missing);
  const int even_heads = config.d_model / config.n_heads;
  config.head_dim = json.sized("head_dim", 1, most, type.default_head_dim ? type.default_head_dim : even_heads);
  config.norm_eps = static_cast<float>(json.number(keys.norm_eps).value_or(architecture.hf_norm_eps));
  config.activation = read_activation(json, keys);
  config.tied_head = json.boolean("tie_word_embeddings").value_or(architecture.hf_tied_head);
  if (architecture.scales_embeddings) config.embedding_scale = std::sqrt(static_cast<float>(config.d_model));
  if (const auto scalar = json.number("query_pre_attn_scalar")) {
    config.attention_scale = static_cast<float>(1 / std::sqrt(*scalar));
  }
  for (const Presence group : architecture.optional) {
    const bool attention = json.boolean("attention_bias").value_or(false);
    if (group == Presence::qkv_bias) config.qkv_bias = attention;
    if (group == Presence::output_bias) config.output_bias = attention;
    if (group == Presence::mlp_bias) config.mlp_bias = json.boolean("mlp_bias").value_or(false);
  }
  if (config.token_types > 0) config.token_types = json.sized("type_vocab_size", 1, most, config.token_types);
  read_window(config, json, type);
  if (config.position != PositionKind::rope) return config;
  config.rope = read_hf_rope(json, config, architecture);
  config.window_rope = read_hf_window_rope(json, config, architecture);
  return config;
}

/// An id or a list of ids.
std::vector<int> read_ids(const JsonObject& json, std::string_view key, int vocab) {
  const auto* value = json.find(key);
  std::vector<int> ids;
  if (!value) return ids;
  const nlohmann::json list = value->is_array() ? *value : nlohmann::json::array({*value});
  for (const auto& item : list) {
    if (!item.is_number_unsigned() || item.get<std::uint64_t>() >= static_cast<std::uint64_t>(vocab)) {
      fail(ErrorKind::data, "{}: expected an id below {} or a list of them", json.where(key), vocab);
    }
    ids.push_back(item.get<int>());
  }
  return ids;
}

/// The template named "default" of a list of {name, template}, or the only string.
std::string template_text(const JsonObject& json) {
  const auto* value = json.find("chat_template");
  if (!value) return "";
  if (value->is_string()) return value->get<std::string>();
  if (value->is_array()) {
    for (const auto& item : *value) {
      if (item.is_object() && item.value("name", nlohmann::json()) == "default" && item.contains("template") &&
          item["template"].is_string()) {
        return item["template"].get<std::string>();
      }
    }
  }
  fail(ErrorKind::data, "{}: expected a string, or a list with one named \"default\"", json.where("chat_template"));
}

std::string read_chat_template(const fs::path& folder) {
  if (const auto file = folder / "chat_template.jinja"; path_exists(file)) return read_file(file);
  if (const auto file = folder / "tokenizer_config.json"; path_exists(file))
    return template_text(JsonObject::read(file));
  return "";
}

void read_special_ids(ModelParts& parts, const JsonObject& json, const fs::path& folder) {
  const int vocab = parts.config.vocab;
  const auto bos = read_ids(json, "bos_token_id", vocab), eos = read_ids(json, "eos_token_id", vocab);
  if (!bos.empty()) parts.tokenizer.bos = bos.front();
  if (!eos.empty()) parts.tokenizer.eos = eos.front();
  parts.stop_ids = eos;
  if (const auto file = folder / "generation_config.json"; path_exists(file)) {
    const auto more = read_ids(JsonObject::read(file), "eos_token_id", vocab);
    parts.stop_ids.insert(parts.stop_ids.end(), more.begin(), more.end());
  }
  std::sort(parts.stop_ids.begin(), parts.stop_ids.end());
  parts.stop_ids.erase(std::unique(parts.stop_ids.begin(), parts.stop_ids.end()), parts.stop_ids.end());
  std::erase(parts.stop_ids, parts.tokenizer.eos);
}

std::string folder_name(const fs::path& folder) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(folder, ignored);
  return (whole.empty() ? folder : whole).filename().string();
}

/// A head that is said to be tied but stored all the same must be the same numbers.
void check_tied_head(const ModelConfig& config, const Architecture& architecture, const TensorSet& tensors) {
  const StoredTensor* head = tensors.find("lm_head.weight");
  const StoredTensor* embedding = tensors.find(architecture.tensors.front().hf_name);
  if (!config.tied_head || !head || !embedding) return;
  const bool same = head->type_name == embedding->type_name && head->bytes.size() == embedding->bytes.size() &&
                    std::memcmp(head->bytes.data(), embedding->bytes.data(), head->bytes.size()) == 0;
  if (!same) {
    fail(ErrorKind::data,
         "{}: tensor 'lm_head.weight' differs from the embedding, yet config.json's tie_word_embeddings is "
         "true",
         head->file);
  }
}

}  // namespace

ModelParts read_hf_parts(const fs::path& folder) {
  const fs::path config_path = folder / "config.json";
  if (!path_exists(config_path)) {
    fail(ErrorKind::data,
         "{}: no config.json is here; a model folder has config.json, tokenizer.json and safetensors files",
         folder.string());
  }
  const auto json = JsonObject::read(config_path);
  const auto type = json.text("model_type");
  if (!type) fail(ErrorKind::data, "{}: missing", json.where("model_type"));
  if (json.has("quantization_config")) {
    fail(ErrorKind::data, "{}: quantised safetensors are not supported; use the unquantised model or a GGUF file",
         json.where("quantization_config"));
  }
  const auto found = find_hf_architecture(*type, config_path.string());

  ModelParts parts;
  parts.architecture = &found.architecture;
  parts.hf_names = true;
  parts.config = read_config(json, found);
  parts.config.name = json.text("_name_or_path").value_or(folder_name(folder));
  check_config(parts.config, config_path.string());
  auto tensors = read_safetensors_folder(folder);
  check_tied_head(parts.config, found.architecture, tensors);
  parts.tokenizer.json_path = folder / "tokenizer.json";
  read_special_ids(parts, json, folder);
  parts.chat_template = read_chat_template(folder);
  parts.identity.push_back(config_path);
  for (const auto& map : tensors.files()) parts.identity.push_back(map.path());
  parts.tensors = std::make_shared<const TensorSet>(std::move(tensors));
  return parts;
}

}  // namespace kvmend
