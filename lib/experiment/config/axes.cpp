// Tasks and strategies: groups and axis lists become variants, each checked and with a label of its own.
#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/config/parts.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

const TaskInfo* find_task(const std::vector<TaskInfo>& infos, const std::string& name) {
  for (const auto& info : infos) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

bool takes(const std::vector<ParamInfo>& params, std::string_view name) {
  return std::any_of(params.begin(), params.end(), [&](const ParamInfo& p) { return p.name == name; });
}

/// A copy of `params` with `key` set where the user did not set it.
Value with_default(const Value& params, const std::string& key, const Value& value) {
  Value out = params.is_null() ? Value(Value::Map{}) : params;
  out.where = params.where;
  if (out.is_map() && !out.find(key)) out.set(key, value);
  return out;
}

/// One task of one item. Sample count and metric move out of the parameters: a prediction depends on neither.
void add_task(Config& config, const NamedItem& item, const TaskInfo& info, const Value& params, ParamErrors& errors) {
  TaskVariant task;
  task.name = info.name;
  task.version = info.version;
  task.metric = info.metric;
  task.where = item.where;
  const std::size_t before = errors.messages.size();
  task.params = check_task(info.name, item.where, params, errors);
  if (errors.messages.size() != before) return;
  if (const Value* samples = task.params.find("samples"); samples && samples->is_int()) {
    task.samples = samples->as_int() > 0 ? static_cast<int>(samples->as_int()) : -1;  // 0: all
  }
  task.params.erase("samples");
  if (const Value* metric = task.params.find("metric"); metric && metric->is_string()) {
    if (!metric->as_string().empty()) task.metric = metric->as_string();
  }
  task.params.erase("metric");  // judged after the fact: a run that names another scores again what is stored
  for (auto& known : config.tasks) {
    if (known.name != task.name || known.params.canonical() != task.params.canonical()) continue;
    config.warnings.push_back(fmt::format("{}task {} is listed twice", item.where.prefix(), task.name));
    known.samples = known.samples < 0 || task.samples < 0 ? -1 : std::max(known.samples, task.samples);
    return;
  }
  config.tasks.push_back(std::move(task));
}

void add_task_item(Config& config, const NamedItem& item, ParamErrors& errors) {
  const std::vector<TaskInfo> infos = list_tasks();
  std::vector<std::string> names;
  try {
    names = expand_task_group(item.name, item.where);
  } catch (const Error& error) {
    errors.messages.emplace_back(error.what());
    return;
  }
  for (const auto& name : names) {
    const TaskInfo* info = find_task(infos, name);
    require(info != nullptr, "the group {} names the task {}, which is not listed", item.name, name);
    Value params = item.params;
    if (config.seed && takes(info->params, "seed")) params = with_default(params, "seed", *config.seed);
    if (!params.is_null() && !params.is_map()) {
      errors.add(params.where, fmt::format("the parameters of {} are a map, found {}", item.name, params.type_name()));
      return;
    }
    for (const auto& [key, values] : info->axes) params = with_default(params, key, values);
    const std::vector<Value> variants = expand_axes(params, info->params);
    if (variants.empty()) errors.add(params.where, fmt::format("an axis of {} is an empty list", item.name));
    for (const auto& one : variants) add_task(config, item, *info, one, errors);
  }
}

/// The label that the same strategy has without its replicate seed.
std::string label_without_seed(const NamedItem& item, Value params, const std::string& label) {
  if (!params.find("seed")) return label;
  params.erase("seed");
  if (params.as_map().empty()) params = Value();
  ParamErrors ignored;
  const auto plain = make_strategy(item.name, item.where, params, ignored);
  return plain ? plain->label : label;
}

/// At the place of the parameter that asks for it, or of the strategy whose preset does; an axis's values say it once.
void warn_of_strategy(Config& config, const NamedItem& item, const Value& params, const Strategy& strategy) {
  const std::string text = strategy_warning(strategy);
  if (text.empty()) return;
  const Value* mask = params.find("mask");
  std::string warning = (mask ? mask->where : item.where).prefix() + text;
  if (std::find(config.warnings.begin(), config.warnings.end(), warning) == config.warnings.end())
    config.warnings.push_back(std::move(warning));
}

void add_strategy(Config& config, const NamedItem& item, const StrategyInfo& info, const Value& params,
                  ParamErrors& errors) {
  // keep_bos is a property of the prompt, for every strategy and for full prefill: no option of one.
  const bool sinks = config.sink && config.sink != SinkKind::keep_bos && takes(info.params, "sink");
  Value all = sinks ? with_default(params, "sink", std::string(enum_name(*config.sink))) : params;
  if (all.where.line == 0) all.where = item.where;
  auto strategy = make_strategy(item.name, item.where, all, errors);
  if (!strategy) return;
  if (sinks) {  // the label stays as the user wrote the strategy: every row would say the same
    Strategy relabelled = *strategy;
    relabelled.label = strategy_label(item.name, relabelled.options, params);
    strategy = std::make_shared<const Strategy>(std::move(relabelled));
  }
  for (const auto& known : config.strategies) {
    if (known.strategy->canonical.canonical() != strategy->canonical.canonical()) continue;
    config.warnings.push_back(fmt::format("{}{} is the same strategy as {} above: computed once", item.where.prefix(),
                                          strategy->label, known.label));
    return;
  }
  warn_of_strategy(config, item, params, *strategy);
  config.strategies.push_back(
      {strategy, strategy->label, label_without_seed(item, params, strategy->label), item.where});
}

void add_strategy_item(Config& config, const NamedItem& item, ParamErrors& errors) {
  const std::vector<StrategyInfo> infos = list_strategies();
  const auto info =
      std::find_if(infos.begin(), infos.end(), [&](const StrategyInfo& i) { return i.name == item.name; });
  if (info == infos.end()) {
    std::vector<std::string> names;
    for (const auto& known : infos) names.push_back(known.name);
    errors.add(item.where, fmt::format("unknown strategy '{}'{}", item.name, did_you_mean(item.name, names)));
    return;
  }
  if (!item.params.is_null() && !item.params.is_map()) {
    errors.add(item.params.where,
               fmt::format("the parameters of {} are a map, found {}", item.name, item.params.type_name()));
    return;
  }
  const std::vector<Value> variants = expand_axes(item.params, info->params);
  if (variants.empty()) errors.add(item.params.where, fmt::format("an axis of {} is an empty list", item.name));
  for (const auto& params : variants) add_strategy(config, item, *info, params, errors);
}

void check_ratios_given(const Config& config, const Value& tree, ParamErrors& errors) {
  const Value* given = tree.find("ratios");
  if (given && !given->is_null() && !(given->is_list() && given->as_list().empty()))
    return;  // its errors are told already
  for (const auto& variant : config.strategies) {
    if (!variant.strategy->info.uses_ratio) continue;
    errors.add(variant.where, fmt::format("{} needs a ratio: add e.g. `ratios: [0.1, 0.2]`", variant.label));
    return;
  }
}

template <class T>
std::vector<Value> parameters_of(const std::vector<T>& variants) {
  std::vector<Value> out;
  for (const auto& variant : variants) {
    if constexpr (std::is_same_v<T, StrategyVariant>) {
      out.push_back(variant.strategy->canonical);
    } else {
      out.push_back(variant.params);
    }
  }
  return out;
}

}  // namespace

std::string strategy_warning(const Strategy& strategy) {
  if (strategy.options.mask != MaskKind::bottom_right) return "";
  return strategy.info.name +
         ": mask bottom_right lets recomputed tokens see later ones, as released code does: only to reproduce its "
         "numbers; "
         "`mask: exact` does not";
}

void read_tasks(Config& config, const Value& tree, ParamErrors& errors) {
  for (const auto& item : read_items(tree, "tasks", errors)) add_task_item(config, item, errors);
  std::vector<std::string> labels;
  for (const auto& task : config.tasks) labels.push_back(task.name);
  tell_apart(labels, parameters_of(config.tasks));
  for (std::size_t i = 0; i < labels.size(); ++i) config.tasks[i].label = labels[i];
}

void read_strategies(Config& config, const Value& tree, ParamErrors& errors) {
  for (const auto& item : read_items(tree, "strategies", errors)) add_strategy_item(config, item, errors);
  check_ratios_given(config, tree, errors);
  // Two seeds of one strategy share a series, so only the label has to tell them apart …
  std::vector<Value> params = parameters_of(config.strategies);
  std::vector<std::string> labels, series;
  for (const auto& variant : config.strategies) labels.push_back(variant.label);
  tell_apart(labels, params);
  // … and a series is told apart by everything else.
  for (auto& value : params) value.erase("seed");
  for (const auto& variant : config.strategies) series.push_back(variant.series);
  tell_apart(series, params);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    config.strategies[i].label = labels[i];
    config.strategies[i].series = series[i];
  }
}

}  // namespace kvmend
