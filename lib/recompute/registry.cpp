#include "recompute/registry.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/suggest.h"
#include "recompute/selector.h"

namespace kvmend {
namespace {

/// An entry and the plugin it came with, if any.
struct Registered {
  registry_detail::Entry entry;
  std::string plugin, plugin_sha256;
};

std::map<std::string, Registered>& entries() {
  static std::map<std::string, Registered> all;
  return all;
}

registry_detail::PluginScope* plugin_being_loaded = nullptr;

bool names_param(const std::vector<ParamInfo>& infos, const std::string& key) {
  return std::any_of(infos.begin(), infos.end(), [&](const ParamInfo& info) { return info.name == key; });
}

/// The preset's parameters under the user's.
Value with_preset(const Value& preset, const Value& given) {
  Value merged = preset.is_map() ? preset : Value(Value::Map{});
  merged.where = given.where;
  if (given.is_map()) {
    for (const auto& entry : given.as_map()) {
      merged.erase(entry.key);
      merged.map().push_back(entry);
    }
  }
  return merged;
}

/// The entry's own parameters among some.
Value own_params(const registry_detail::Entry& entry, const Value& params) {
  Value own{Value::Map{}};
  if (!params.is_map()) return own;
  for (const auto& item : params.as_map()) {
    if (names_param(entry.params, item.key)) own.map().push_back(item);
  }
  return own;
}

/// Whether a name's ratio counts as it is configured without parameters: link0's preset fixes k. What cannot be made without
/// some (an auxiliary model, a file of scores) goes by its class.
bool uses_ratio_by_default(const registry_detail::Entry& entry) {
  if (!entry.traits.uses_ratio) return false;
  try {
    ParamErrors ignored;
    Value canonical;
    const auto selector = entry.make(own_params(entry, entry.preset), ignored, canonical);
    return !selector || selector->uses_ratio();
  } catch (const std::exception&) {  // a plugin's, which its own errors will tell
    return true;
  }
}

StrategyInfo describe(const Registered& registered) {
  const registry_detail::Entry& entry = registered.entry;
  StrategyInfo info{entry.name,
                    entry.traits.summary,
                    entry.traits.source,
                    entry.traits.labels,
                    entry.traits.note,
                    entry.traits.version,
                    uses_ratio_by_default(entry),
                    entry.params,
                    entry.traits.exemptions,
                    registered.plugin,
                    entry.traits.moves_keys};
  CommonOptions defaults = entry.traits.defaults;
  params_detail::Lister lister;
  CommonOptions::fields(defaults, lister);
  info.params.insert(info.params.end(), lister.out.begin(), lister.out.end());
  for (auto& param : info.params) {  // a preset's value is what this name defaults to
    if (const Value* preset = entry.preset.find(param.name)) param.default_value = preset->flow();
  }
  return info;
}

/// The strategies at the leaves of a composition of compositions.
void add_leaves(const Strategy& strategy, std::vector<const Strategy*>& out) {
  const auto parts = strategy.selector->parts();  // which the selector holds
  for (const auto& part : parts) add_leaves(*part, out);
  if (parts.empty()) out.push_back(&strategy);
}

/// What a composition's common options start from: its parts' own, which what they compute rests on. Where those differ,
/// and the composition was not given the option, nobody can say which one is meant.
CommonOptions agreed_options(const Strategy& whole, const Value& given, const Location& where, ParamErrors& errors) {
  std::vector<const Strategy*> leaves;
  add_leaves(whole, leaves);
  Value agreed = print_params(leaves.front()->options);
  agreed.erase("as");
  for (const auto& option : agreed.as_map()) {
    if (given.find(option.key) != nullptr) continue;
    for (const Strategy* leaf : leaves) {
      const Value theirs = print_params(leaf->options);
      if (theirs.find(option.key)->canonical() == option.value.canonical()) continue;
      errors.add(where, fmt::format("{0}: {1} has {2} {3} by default, {4} has {5}; give {0} its own `{2}`",
                                    whole.info.name, leaves.front()->info.name, option.key, option.value.flow(),
                                    leaf->info.name, theirs.find(option.key)->flow()));
      break;
    }
  }
  CommonOptions options;
  read_params(options, agreed, errors);
  return options;
}

}  // namespace

std::string strategy_label(const std::string& name, const CommonOptions& options, const Value& given) {
  if (!options.as.empty()) return options.as;
  std::string detail;
  if (given.is_map()) {
    for (const auto& entry : given.as_map()) {
      if (entry.key == "as") continue;
      detail += (detail.empty() ? "" : ", ") + entry.key + ": " + entry.value.flow();
    }
  }
  return detail.empty() ? name : fmt::format("{} ({})", name, detail);
}

bool registry_detail::add(Entry entry) {
  PluginScope* const plugin = plugin_being_loaded;
  const std::string name = entry.name;
  const auto [found, fresh] = entries().try_emplace(
      name, Registered{std::move(entry), plugin ? plugin->file : "", plugin ? plugin->sha256 : ""});
  if (!plugin) {
    require(fresh, "two selectors are called '{}'", name);
  } else if (fresh) {
    plugin->names.push_back(name);
  } else {
    const std::string& owner = found->second.plugin;
    plugin->problems.push_back(
        fmt::format("a strategy '{}' exists already ({})", name, owner.empty() ? "built in" : owner));
  }
  return fresh;
}

registry_detail::PluginScope::PluginScope(std::string from, std::string hash)
    : file(std::move(from)), sha256(std::move(hash)) {
  plugin_being_loaded = this;
}

registry_detail::PluginScope::~PluginScope() {
  plugin_being_loaded = nullptr;
  if (kept_) return;
  for (const std::string& name : names) entries().erase(name);
}

std::vector<StrategyInfo> list_strategies() {
  std::vector<StrategyInfo> out;
  for (const auto& [name, registered] : entries()) out.push_back(describe(registered));
  return out;
}

std::shared_ptr<const Strategy> make_strategy(const std::string& name, const Location& where, const Value& params,
                                              ParamErrors& errors, StrategyRole role) {
  const auto found = entries().find(name);
  if (found == entries().end()) {
    std::vector<std::string> names;
    for (const auto& [known, registered] : entries()) names.push_back(known);
    errors.add(where, fmt::format("unknown strategy '{}'{}", name, did_you_mean(name, names)));
    return nullptr;
  }
  const registry_detail::Entry& entry = found->second.entry;
  auto strategy = std::make_shared<Strategy>();
  strategy->info = describe(found->second);
  if (!params.is_null() && !params.is_map()) {
    errors.add(params.where, fmt::format("parameters of '{}' must be a map like {{name: value}}, found {}", name,
                                         params.type_name()));
    return nullptr;
  }

  // Own parameters and common options are read from one map, each by its own declaration.
  Value own{Value::Map{}}, common{Value::Map{}};
  own.where = common.where = params.is_null() ? where : params.where;
  std::vector<ParamInfo> common_infos;
  {
    CommonOptions options;
    params_detail::Lister lister;
    CommonOptions::fields(options, lister);
    common_infos = lister.out;
  }
  std::vector<std::string> known;
  for (const auto& info : strategy->info.params) known.push_back(info.name);
  const std::size_t before = errors.messages.size();
  const Value merged = with_preset(entry.preset, params);
  for (const auto& item : merged.as_map()) {
    if (names_param(common_infos, item.key)) {
      common.map().push_back(item);
    } else if (names_param(entry.params, item.key)) {
      own.map().push_back(item);
    } else {
      errors.add(item.where,
                 fmt::format("{}: unknown parameter '{}'{}", name, item.key, did_you_mean(item.key, known)));
    }
  }
  strategy->options = entry.traits.defaults;
  read_params(strategy->options, common, errors);
  if (strategy->options.sink == SinkKind::keep_bos) {
    errors.add(where, name +
                          ": sink keep_bos changes the prompt of every strategy: set `sink: keep_bos` at the "
                          "top of the config");
  }
  Value canonical;
  strategy->selector = entry.make(own, errors, canonical);
  if (errors.messages.size() != before || !strategy->selector) return nullptr;
  if (role == StrategyRole::whole && !strategy->selector->parts().empty()) {
    strategy->options = agreed_options(*strategy, common, where, errors);
    if (errors.messages.size() != before) return nullptr;
    read_params(strategy->options, common, errors);  // without errors, as above
  }

  strategy->info.uses_ratio = entry.traits.uses_ratio && strategy->selector->uses_ratio();

  Value all = print_params(strategy->options);
  all.erase("as");
  for (const auto& item : canonical.as_map()) all.set(item.key, item.value);
  all.set("strategy", name);
  all.set("version", entry.traits.version);
  if (!found->second.plugin_sha256.empty()) all.set("plugin", found->second.plugin_sha256);
  strategy->canonical = std::move(all);
  strategy->label = strategy_label(name, strategy->options, params);
  return strategy;
}

void check_model(const Strategy& strategy, const ModelFacts& model) {
  try {
    strategy.selector->check_model(model);
  } catch (const std::exception& error) {  // a plugin's too: it has the standard library's only
    const auto* ours = dynamic_cast<const Error*>(&error);
    throw Error(ours ? ours->kind() : ErrorKind::usage, fmt::format("{}: {}", strategy.info.name, error.what()));
  }
}

std::vector<Value> expand_axes(const Value& params, const std::vector<ParamInfo>& infos) {
  std::vector<Value> out{params};
  if (!params.is_map()) return out;
  for (const auto& entry : params.as_map()) {
    if (!entry.value.is_list()) continue;
    const auto info = std::find_if(infos.begin(), infos.end(), [&](const ParamInfo& i) { return i.name == entry.key; });
    const bool takes_list = info != infos.end() && info->is_list;
    const auto& items = entry.value.as_list();
    if (takes_list && (items.empty() || !items.front().is_list())) continue;
    std::vector<Value> expanded;
    for (const auto& base : out) {
      for (const auto& item : items) {
        Value copy = base;
        copy.set(entry.key, item);
        expanded.push_back(std::move(copy));
      }
    }
    out = std::move(expanded);
  }
  return out;
}

}  // namespace kvmend
