#include "core/error.h"
#include "experiment/config/parts.h"
#include "experiment/config/source.h"
#include "experiment/recycle/recycle.h"

namespace kvmend {

RecycleConfig load_recycle_config(const std::filesystem::path& path, const std::vector<std::string>& settings) {
  const auto no_items = [](const std::string&, const std::string&) { return std::vector<std::string>(); };
  ConfigSource source = read_config_files({path}, no_items);
  apply_settings(source.tree, settings, no_items);
  if (source.tree.find("strategies") && !source.tree.find("prompts"))
    fail(ErrorKind::usage, "{}: a config of `kvmend run`, not of `kvmend recycle`: kvmend run {}", path.string(),
         path.string());
  RecycleConfig config;
  ParamErrors errors;
  read_params(config, source.tree, errors);
  config.folder = source.folder;
  const auto place = [&](const char* key) {
    const Value* value = source.tree.find(key);
    return value ? value->where : Location{path.string(), 0, 0};
  };
  const auto missing = [&](const std::string& value, const char* key, const char* what) {
    if (value.empty()) errors.add(place(key), fmt::format("{} is missing: {}", key, what));
  };
  missing(config.model, "model", "the model that answers");
  missing(config.prompts, "prompts", "a file of JSON lines {\"prompt\": …}, in arrival order");
  missing(config.encoder, "encoder", "the model that embeds prompts, e.g. all-minilm-l6-v2");
  if (config.lookups.empty()) errors.add(place("lookups"), "lookups is empty; nearest and longest_prefix are known");
  if (config.load_from == LoadFrom::disk && config.cache_dir.empty()) {
    errors.add(place("load_from"), "load_from: disk needs cache_dir, the folder that caches are written to");
  }
  try {
    Value memory(config.memory);
    memory.where = place("memory");
    static_cast<void>(parse_size(memory));
  } catch (const Error& error) {
    errors.messages.emplace_back(error.what());
  }
  throw_if_any(errors);
  return config;
}

}  // namespace kvmend
