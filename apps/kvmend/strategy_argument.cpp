#include "apps/kvmend/strategy_argument.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"
#include "experiment/config/config.h"
#include "experiment/config/yaml_reader.h"

namespace kvmend {

namespace {

struct NamedParams {
  std::string name;
  Location where;
  Value params;
};

NamedParams read_argument(const std::string& text) {
  const Value value = read_yaml(text, "--strategy");
  if (value.is_string()) return {value.as_string(), value.where, {}};
  if (value.is_map() && value.as_map().size() == 1) {
    const Value::Entry& entry = value.as_map().front();
    return {entry.key, entry.where, entry.value};
  }
  fail(ErrorKind::usage, "--strategy: expected a name or 'name: {{parameter: value}}', found {}", value.flow());
}

/// A benchmark reads the same argument for every case.
void warn_once(const std::string& warning) {
  static std::set<std::string> said;
  if (!warning.empty() && said.insert(warning).second) fmt::print(stderr, "kvmend: warning: {}\n", warning);
}

std::shared_ptr<const Strategy> make_or_fail(const std::string& name, const Location& where, const Value& params) {
  ParamErrors errors;
  auto strategy = make_strategy(name, where, params, errors);
  if (strategy) {
    warn_once(strategy_warning(*strategy));
    return strategy;
  }
  std::string all;
  for (const std::string& message : errors.messages) all += (all.empty() ? "" : "\n") + message;
  fail(ErrorKind::usage, "{}", all);
}

}  // namespace

std::vector<std::shared_ptr<const Strategy>> parse_strategy_arguments(const std::string& text) {
  const NamedParams argument = read_argument(text);
  std::vector<ParamInfo> infos;
  for (const StrategyInfo& info : list_strategies()) {
    if (info.name == argument.name) infos = info.params;
  }
  std::vector<std::shared_ptr<const Strategy>> out;
  for (const Value& params : expand_axes(argument.params, infos)) {
    out.push_back(make_or_fail(argument.name, argument.where, params));
  }
  return out;
}

std::shared_ptr<const Strategy> parse_strategy_argument(const std::string& text) {
  const NamedParams argument = read_argument(text);
  return make_or_fail(argument.name, argument.where, argument.params);
}

}  // namespace kvmend
