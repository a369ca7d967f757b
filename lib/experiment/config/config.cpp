#include "experiment/config/config.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/config/keys.h"
#include "experiment/config/parts.h"
#include "experiment/config/yaml_reader.h"
#include "model/chat.h"

namespace kvmend {

std::vector<std::string> device_list(const std::string& device) {
  const std::size_t colon = device.find(':');
  if (colon == std::string::npos) return {device};
  std::vector<std::string> out;
  for (std::size_t begin = colon + 1, end = begin; end != std::string::npos; begin = end + 1) {
    end = device.find(',', begin);
    out.push_back(device.substr(0, colon + 1) + device.substr(begin, end - begin));
  }
  return out;
}

int threads_of_worker(const std::string& device, int threads, int processors) {
  const auto workers = static_cast<int>(device_list(device).size());
  if (workers == 1) return threads;
  return std::max(1, (threads > 0 ? threads : processors) / workers);
}

namespace {

/// What an unknown key may have been: one nearly so called, or a parameter that belongs to an item of a list.
std::string hint_for(const Value::Entry& entry, const std::vector<std::string>& known) {
  for (const char* section : {"tasks", "strategies"}) {
    const std::vector<std::string> taken = item_parameters(section, "*");
    if (std::find(taken.begin(), taken.end(), entry.key) == taken.end()) continue;
    return entry.where.file == "--set"
               ? fmt::format("; did you mean '{}.*.{}'?", section, entry.key)
               : fmt::format("; it is a parameter of {}: write it as NAME: {{{}: …}}", section, entry.key);
  }
  if (!nearest_name(entry.key, known).empty()) return did_you_mean(entry.key, known);
  return "; 'kvmend list config' lists them";
}

void read_plain_keys(Config& config, const Value& tree, ParamErrors& errors) {
  PlainKeys keys{config};
  const std::vector<std::string> names = plain_key_names();
  std::vector<std::string> known = names;
  for (const ParamInfo& key : structured_keys()) known.push_back(key.name.substr(0, key.name.find('.')));
  Value plain = Value::Map{};
  for (const auto& entry : tree.as_map()) {
    if (entry.key == "set" || entry.key == "include") {  // a file's are taken out when it is read
      errors.add(entry.where, fmt::format("{} works in a file only", entry.key));
    } else if (std::find(names.begin(), names.end(), entry.key) != names.end()) {
      if (!entry.value.is_null()) plain.map().push_back(entry);  // `system:` with nothing behind it: the default
    } else if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      errors.add(entry.where, fmt::format("unknown key '{}'{}", entry.key, hint_for(entry, known)));
    }
  }
  params_detail::Reader reader{plain, errors};
  PlainKeys::fields(keys, reader);
}

Location place_of(const Value& tree, std::string_view key) {
  const Value* value = tree.find(key);
  return value ? value->where : Location{tree.where.file, 0, 0};
}

bool is_device(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "reference" || device == "cuda") return true;
  if (!device.starts_with("cuda:")) return false;
  const std::string list = device.substr(5);
  bool digit_before = false;
  for (const char c : list) {
    if (c == ',' && !digit_before) return false;
    if (c != ',' && (c < '0' || c > '9')) return false;
    digit_before = c != ',';
  }
  return digit_before;
}

/// The first that "cuda:0,1,0" names twice; empty: none.
std::string device_named_twice(const std::string& device) {
  std::set<std::string> seen;
  for (std::string one : device_list(device)) {
    const std::size_t digits = one.find(':') + 1;  // cuda:00 is cuda:0
    if (digits > 0) one.erase(digits, std::min(one.find_first_not_of('0', digits), one.size() - 1) - digits);
    if (!seen.insert(one).second) return one;
  }
  return {};
}

void check_plain_keys(const Config& config, const Value& tree, ParamErrors& errors) {
  if (config.model.empty()) {
    errors.add(place_of(tree, "model"), "model is missing: a name, a .gguf file or a Hugging Face folder");
  }
  if (std::string wrong = device_error(config.device); !wrong.empty())
    errors.add(place_of(tree, "device"), std::move(wrong));
  std::vector<std::string> formats = chat_format_names();
  formats.emplace_back("auto");
  if (std::find(formats.begin(), formats.end(), config.chat) == formats.end()) {
    errors.add(place_of(tree, "chat"),
               fmt::format("unknown chat format '{}'{}", config.chat, did_you_mean(config.chat, formats)));
  }
}

/// "a.yaml:3:10: …" sorts behind "a.yaml:3:9: …": by file, then line and column as numbers. What has no line is missing, maybe for
/// one of the others' sake: it stands last.
void sort_by_place(std::vector<std::string>& messages) {
  const auto place = [](const std::string& message) {
    std::size_t at = message.find(':');
    int line = 0, column = 0;
    if (at == std::string::npos) return std::tuple(std::string(), 0, 0);
    std::sscanf(message.c_str() + at, ":%d:%d:", &line, &column);
    if (line == 0) line = std::numeric_limits<int>::max();
    return std::tuple(message.substr(0, at), line, column);
  };
  std::stable_sort(messages.begin(), messages.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  messages.erase(std::unique(messages.begin(), messages.end()), messages.end());
}

/// The other kind of config, which a folder of experiments may hold too.
void refuse_recycle_config(const Value& tree) {
  if (tree.find("tasks") || tree.find("strategies")) return;
  if (!tree.find("prompts") && !tree.find("encoder")) return;
  fail(ErrorKind::usage, "{}: a config of `kvmend recycle`, not of `kvmend run`: kvmend recycle {}", tree.where.file,
       tree.where.file);
}

ConfigSource read_source(const std::vector<std::filesystem::path>& paths, const std::vector<std::string>& settings) {
  ConfigSource source = read_config_files(paths, item_parameters);
  apply_settings(source.tree, settings, item_parameters);
  for (const auto& setting : settings) source.text += "# --set " + setting + "\n";
  if (!source.tree.find("name") && !paths.empty()) source.tree.set("name", paths.front().stem().string());
  return source;
}

}  // namespace

std::string device_error(const std::string& device) {
  if (!is_device(device)) return fmt::format("device '{}' is none of auto, cpu, reference, cuda, cuda:N,M", device);
  if (const std::string twice = device_named_twice(device); !twice.empty())
    return fmt::format("device '{}' names {} twice", device, twice);
  return "";
}

void throw_if_any(ParamErrors& errors) {
  if (errors.messages.empty()) return;
  sort_by_place(errors.messages);
  fail(ErrorKind::usage, "{}", fmt::join(errors.messages, "\n"));
}

Config make_config(const ConfigSource& source) {
  refuse_recycle_config(source.tree);
  Config config;
  ParamErrors errors;
  config.text = source.text;
  config.folder = source.folder;
  read_plain_keys(config, source.tree, errors);
  check_plain_keys(config, source.tree, errors);
  read_ratios(config, source.tree, errors);
  read_tasks(config, source.tree, errors);
  read_chunkers(config, source.tree, errors);
  read_strategies(config, source.tree, errors);
  read_cache(config, source.tree, errors);
  read_store(config, source.tree, errors);
  throw_if_any(errors);
  return config;
}

Config load_config(const std::vector<std::filesystem::path>& paths, const std::vector<std::string>& settings) {
  return make_config(read_source(paths, settings));
}

Config load_prompt_config(const std::vector<std::filesystem::path>& paths, const std::vector<std::string>& settings) {
  ConfigSource source = read_source(paths, settings);
  refuse_recycle_config(source.tree);
  source.tree.set("strategies", Value::List{Value("full")});
  return make_config(source);
}

Config parse_config(const std::string& text, const std::string& name, const std::vector<std::string>& settings) {
  ConfigSource source{read_yaml(text, name), text, std::filesystem::current_path()};
  apply_settings(source.tree, settings, item_parameters);
  return make_config(source);
}

Value Config::canonical() const {
  Config copy = *this;
  PlainKeys keys{copy};
  params_detail::Printer printer;
  PlainKeys::fields(keys, printer);
  Value out = printer.out;
  Value::List task_list, strategy_list, ratio_list;
  for (const auto& task : tasks) {
    Value entry = Value::Map{};
    entry.set("task", task.name);
    entry.set("version", task.version);
    entry.set("params", task.params);
    entry.set("samples", task.samples);
    task_list.push_back(entry);
  }
  for (const auto& variant : strategies) {
    Value entry = variant.strategy->canonical;
    entry.set("as", variant.label);
    strategy_list.push_back(entry);
  }
  for (const double ratio : ratios) ratio_list.emplace_back(ratio);
  out.set("tasks", task_list);
  out.set("chunker", chunkers);
  out.set("strategies", strategy_list);
  out.set("ratios", ratio_list);
  Value cache_map = Value::Map{};
  cache_map.set("memory", static_cast<std::int64_t>(cache.memory));
  cache_map.set("disk", cache.disk);
  cache_map.set("limit", static_cast<std::int64_t>(cache.limit));
  cache_map.set("dir", cache.dir.string());
  out.set("cache", cache_map);
  Value store_map = Value::Map{};
  store_map.set("scores", store_scores);
  out.set("store", store_map);
  return out;
}

}  // namespace kvmend
