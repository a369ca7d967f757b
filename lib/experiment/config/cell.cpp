#include "experiment/config/cell.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "recompute/selector.h"

namespace kvmend {
namespace {

constexpr std::size_t key_digits = 32;

std::string key_of(const Value& canonical) { return sha256(canonical.canonical()).substr(0, key_digits); }

/// What the prompts of a cell are made from. Strategies share it, so their samples pair.
Value prompt_identity(const Config& config, const Cell& cell, const RunIdentity& identity) {
  const auto task_index = static_cast<std::size_t>(cell.task);
  require(task_index < identity.task_data.size(), "no data identity for task {}", cell.task);
  const TaskVariant& task = config.tasks[task_index];
  Value task_map = Value::Map{};
  task_map.set("name", task.name);
  task_map.set("version", task.version);
  task_map.set("params", task.params);
  task_map.set("data", identity.task_data[task_index]);
  Value out = Value::Map{};
  out.set("task", task_map);
  out.set("tokenizer", identity.model.tokenizer);
  out.set("chat", identity.model.chat);
  out.set("system", config.system);
  out.set("chunker", config.chunkers[static_cast<std::size_t>(cell.chunker)]);
  out.set("tokenize", std::string(enum_name(config.tokenize)));
  out.set("keep_bos", config.sink == SinkKind::keep_bos);
  if (config.keep_answer_space)
    out.set("keep_answer_space", true);  // keys from before it was an option stay as they are
  // Part of the prompts too: a task sized for a length leaves room for the answer.
  out.set("max_new_tokens", config.max_new_tokens ? Value(*config.max_new_tokens) : Value());
  return out;
}

/// Auxiliary models by what they are, not by what the config calls them.
Value aux_identity(const std::string& name, const RunIdentity& identity) {
  const auto found = identity.aux_models.find(name);
  require(found != identity.aux_models.end(), "no identity for the auxiliary model '{}'", name);
  Value out = Value::Map{};
  out.set("weights", found->second.weights);
  out.set("tokenizer", found->second.tokenizer);
  return out;
}

}  // namespace

std::vector<std::string> auxiliary_models(const Strategy& strategy) {
  std::vector<std::string> names = strategy.selector->auxiliary_models();
  const Value* own = strategy.canonical.find("aux_model");
  if (own && own->is_string() && !own->as_string().empty() &&
      std::find(names.begin(), names.end(), own->as_string()) == names.end()) {
    names.push_back(own->as_string());
  }
  return names;
}

CellKey cell_key(const Config& config, const Cell& cell, const RunIdentity& identity) {
  const Strategy& configured = *config.strategies[static_cast<std::size_t>(cell.strategy)].strategy;
  Value strategy = configured.canonical;
  Value::List inner;  // of strategies that a composition is made of
  for (const std::string& name : auxiliary_models(configured)) {
    const Value* own = strategy.find("aux_model");
    if (own && own->is_string() && own->as_string() == name)
      strategy.set("aux_model", aux_identity(name, identity));
    else
      inner.push_back(aux_identity(name, identity));
  }
  if (!inner.empty()) strategy.set("aux_models", inner);
  CellKey out;
  out.canonical = prompt_identity(config, cell, identity);
  out.prompts = key_of(out.canonical);
  out.canonical.set("strategy", strategy);
  out.canonical.set("ratio", cell.ratio ? Value(*cell.ratio) : Value());
  out.canonical.set("weights", identity.model.weights);
  out.canonical.set("dtype", std::string(enum_name(config.dtype)));
  out.canonical.set("backend", identity.backend);
  out.canonical.set("load_from", std::string(enum_name(config.load_from)));
  out.canonical.set("decoding", "greedy");
  out.key = key_of(out.canonical);
  return out;
}

}  // namespace kvmend
