#include "apps/kvmend/strategy_argument.h"

#include "core/error.h"
#include "experiment/yaml_reader.h"

namespace kvmend {

std::shared_ptr<const Strategy> parse_strategy_argument(const std::string& text) {
  const Value value = read_yaml(text, "--strategy");
  std::string name;
  Value params;
  Location where = value.where;
  if (value.is_string()) {
    name = value.as_string();
  } else if (value.is_map() && value.as_map().size() == 1) {
    name = value.as_map().front().key;
    where = value.as_map().front().where;
    params = value.as_map().front().value;
  } else {
    fail(ErrorKind::usage, "--strategy: expected a name or 'name: {{parameter: value}}', found {}", value.flow());
  }
  ParamErrors errors;
  auto strategy = make_strategy(name, where, params, errors);
  if (!strategy) {
    std::string all;
    for (const std::string& message : errors.messages) all += (all.empty() ? "" : "\n") + message;
    fail(ErrorKind::usage, "{}", all);
  }
  return strategy;
}

}  // namespace kvmend
