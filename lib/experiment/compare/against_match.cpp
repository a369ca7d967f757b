#include "experiment/compare/against_match.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "datasets/task.h"
#include "experiment/compare/cell_variant.h"
#include "experiment/config/yaml_reader.h"
#include "recompute/strategy.h"

namespace kvmend {
namespace {

using Cells = PaperMatcher::Cells;

/// Our tasks that a paper's task means: a group's members, the task itself, or nothing we know.
std::vector<std::string> members_of(const std::string& task) {
  try {
    return expand_task_group(task, {});
  } catch (const Error&) {
    return {task};
  }
}

/// Parameters as two runs of different versions share them.
std::string parameters_of(Value canonical) {
  canonical.erase("version");
  return canonical.canonical();
}

/// What "epic (k: 32)" stands for, with every other parameter's default; empty where it is no strategy with parameters.
std::string parameters_named(const std::string& label) {
  const auto open = label.find(" (");
  if (open == std::string::npos || !label.ends_with(')')) return "";
  Value params;
  try {
    params = read_yaml("{" + label.substr(open + 2, label.size() - open - 3) + "}", label);
  } catch (const Error&) {
    return "";  // a label of somebody's own that has brackets
  }
  ParamErrors errors;
  const auto strategy = make_strategy(label.substr(0, open), {}, params, errors);
  return strategy ? parameters_of(strategy->canonical) : "";
}

PaperMatcher::Match refuse(PaperMatcher::Match match, std::string reason) {
  match.cells.clear();
  match.reason = std::move(reason);
  return match;
}

/// A task's prompts among the cells, named by what they differ in: "ruler/vt (length: 2048)", "ruler/vt (max_new_tokens: 64)".
std::set<std::string> variants_of(const Cells& cells, const std::string& task) {
  Cells own;
  std::copy_if(cells.begin(), cells.end(), std::back_inserter(own),
               [&](const TableCell* cell) { return cell->record.task == task; });
  std::set<std::string> out;
  for (const auto* cell : own) {
    const std::string variant = variant_of(*cell, own, prompt_dimensions());
    out.insert(variant.empty() ? cell->task : fmt::format("{} ({})", cell->task, variant));
  }
  return out;
}

/// Why cells of one task do not stand for it together; empty: there is one.
std::string several_variants(const Cells& cells) {
  for (const auto* cell : cells) {
    const std::set<std::string> variants = variants_of(cells, cell->record.task);
    if (variants.size() > 1)
      return fmt::format("{} was run in several variants ({}): choose with --where", cell->record.task,
                         fmt::join(variants, "; "));
  }
  return "";
}

}  // namespace

PaperMatcher::PaperMatcher(Cells cells) : cells_(std::move(cells)) {
  for (const StrategyInfo& info : list_strategies()) {
    if (info.uses_ratio) with_ratio_.insert(info.name);
  }
}

bool PaperMatcher::lost_its_ratio(const TableCell& cell) const {
  return !cell.record.ratio && with_ratio_.contains(cell.record.strategy);
}

Cells PaperMatcher::of_strategy(const std::string& strategy, bool at_a_ratio) const {
  const std::string params = parameters_named(strategy);
  const auto choose = [&](auto&& wanted) {
    Cells out;
    std::copy_if(cells_.begin(), cells_.end(), std::back_inserter(out),
                 [&](const auto* cell) { return wanted(*cell); });
    return out;
  };
  Cells out = choose([&](const TableCell& cell) { return cell.strategy == strategy; });
  if (out.empty() && !params.empty())
    out = choose([&](const TableCell& cell) { return parameters_of(cell.record.params) == params; });
  if (out.empty()) {
    out = choose([&](const TableCell& cell) {
      return cell.record.strategy == strategy && !(at_a_ratio && lost_its_ratio(cell));
    });
  }
  return out;
}

PaperMatcher::Match PaperMatcher::find(const std::string& strategy, const std::optional<double>& ratio,
                                       const std::string& task) const {
  const auto members = members_of(task);
  Match match;
  match.tasks_of = static_cast<int>(members.size());
  const Cells named = of_strategy(strategy, ratio.has_value());
  if (named.empty()) {
    const bool other = std::any_of(cells_.begin(), cells_.end(),
                                   [&](const TableCell* cell) { return cell->record.strategy == strategy; });
    return refuse(match, fmt::format("no {}{} in the store", strategy, other ? " at a ratio" : ""));
  }
  if (std::any_of(named.begin(), named.end(), [&](const TableCell* c) { return c->strategy != named[0]->strategy; }))
    return refuse(match, fmt::format("several variants of {}: label one of them so, with `as`", strategy));
  std::set<double> ratios;
  bool on_task = false;
  for (const auto* cell : named) {
    if (std::find(members.begin(), members.end(), cell->record.task) == members.end()) continue;
    on_task = true;
    if (cell->record.ratio) ratios.insert(*cell->record.ratio);
    if (cell->record.ratio && cell->record.ratio != ratio) continue;
    match.cells.push_back(cell);
  }
  if (!on_task) return refuse(match, fmt::format("{} was not run", task));
  if (const std::string why = several_variants(match.cells); !why.empty()) return refuse(match, why);
  if (match.cells.empty())
    return refuse(match, fmt::format("{} was not run at {} (but at {})", strategy,
                                     ratio ? format_number(*ratio) : "no ratio", fmt::join(ratios, ", ")));
  return match;
}

}  // namespace kvmend
