#include "experiment/against.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "datasets/task.h"
#include "experiment/cell_variant.h"
#include "experiment/table_cells.h"
#include "experiment/table_value.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;

/// Our tasks that a paper's task means: a group's members, the task itself, or nothing we know.
std::vector<std::string> members_of(const std::string& task) {
  try {
    return expand_task_group(task, {});
  } catch (const Error&) {
    return {task};
  }
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

class Matcher {
 public:
  Matcher(Cells cells, const TableData& data) : cells_(std::move(cells)), references_(data.cells) {}

  struct Match {
    Cells cells;  ///< one a task
    int tasks_of = 0;
    std::string reason;  ///< why there are none
  };

  /// Cells of a strategy, by label or registered name, at a ratio on a task or group.
  Match find(const std::string& strategy, const std::optional<double>& ratio, const std::string& task) const {
    const auto members = members_of(task);
    Match match;
    match.tasks_of = static_cast<int>(members.size());
    Cells named;
    for (const bool by_label : {true, false}) {
      for (const auto* cell : cells_) {
        if ((by_label ? cell->strategy : cell->record.strategy) == strategy) named.push_back(cell);
      }
      if (!named.empty()) break;
    }
    if (named.empty()) return refuse(match, fmt::format("no {} in the store", strategy));
    if (std::any_of(named.begin(), named.end(), [&](const TableCell* c) { return c->strategy != named[0]->strategy; }))
      return refuse(match, fmt::format("several variants of {}: label one of them so, with `as`", strategy));
    std::set<double> ratios;
    bool on_task = false;
    for (const auto* cell : named) {
      if (std::find(members.begin(), members.end(), cell->record.task) == members.end()) continue;
      on_task = true;
      if (cell->record.ratio) ratios.insert(*cell->record.ratio);
      if (cell->record.ratio && ratio && *cell->record.ratio != *ratio) continue;
      if (cell->record.ratio && !ratio) continue;
      match.cells.push_back(cell);
    }
    if (!on_task) return refuse(match, fmt::format("{} was not run", task));
    for (const auto* cell : match.cells) {
      const std::set<std::string> variants = variants_of(match.cells, cell->record.task);
      if (variants.size() > 1)
        return refuse(match, fmt::format("{} was run in several variants ({}): choose with --where", cell->record.task,
                                         fmt::join(variants, "; ")));
    }
    if (match.cells.empty())
      return refuse(match, fmt::format("{} was not run at {} (but at {})", strategy,
                                       ratio ? format_number(*ratio) : "no ratio", fmt::join(ratios, ", ")));
    return match;
  }

  const References& references() const { return references_; }

 private:
  static Match refuse(Match match, std::string reason) {
    match.cells.clear();
    match.reason = std::move(reason);
    return match;
  }

  Cells cells_;
  References references_;
};

AgainstValue compare_value(const Matcher& matcher, const PublishedValue& theirs) {
  AgainstValue out;
  out.theirs = theirs;
  const auto match = matcher.find(theirs.strategy, theirs.ratio, theirs.task);
  out.tasks = static_cast<int>(match.cells.size());
  out.tasks_of = match.tasks_of;
  out.reason = match.reason;
  if (match.cells.empty()) return out;
  std::string refusal;
  out.ours = estimate_value("score", match.cells, matcher.references(), IntervalMethod::percentile, refusal);
  if (!out.ours) out.reason = "no sample succeeded";
  return out;
}

/// The claim's pairs, and what can be said of them alone; the verdict of an ordering waits for the family.
AgainstClaim test_claim(const Matcher& matcher, const PublishedClaim& claim, Comparison& comparison) {
  AgainstClaim out;
  out.claim = claim;
  out.reason = claim.not_tested;
  if (!out.reason.empty()) return out;
  const auto better = matcher.find(claim.better, claim.ratio, claim.task);
  const auto than = matcher.find(claim.than, claim.ratio, claim.task);
  out.reason = !better.reason.empty() ? better.reason : than.reason;
  if (!out.reason.empty()) return out;
  auto pairs = pair_by_task(better.cells, than.cells);
  out.tasks = static_cast<int>(pairs.size());
  out.tasks_of = better.tasks_of;
  for (auto& task : pairs) {
    for (double& score : task.b) score *= claim.factor;
  }
  comparison = compare_paired(pairs);
  if (comparison.difference.n == 0) {
    out.reason = "no sample in common";
    return out;
  }
  out.difference = comparison.difference;
  out.detectable = comparison.detectable;
  return out;
}

Verdict judge(const AgainstClaim& claim, const Comparison& comparison) {
  if (!comparison.distinguishable()) return Verdict::not_distinguishable;
  const auto& interval = comparison.difference.interval;
  if (claim.claim.factor != 1 && (!interval || interval->contains(0))) return Verdict::not_distinguishable;
  return comparison.difference.value > 0 ? Verdict::reproduced : Verdict::not_reproduced;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::reproduced: return "reproduced";
    case Verdict::not_reproduced: return "not reproduced";
    case Verdict::not_distinguishable: return "not distinguishable";
    case Verdict::not_tested: return "not tested here";
  }
  return "";
}

Against set_against(const TableData& data, const std::vector<std::pair<std::string, std::string>>& where,
                    Published published) {
  TableQuery query;
  query.where = where;
  const Cells cells = filter_cells(data, query);
  for (const char* name : {"model", "chunker", "dtype", "backend", "load_from", "tokenize"}) {
    std::vector<std::string> values;
    for (const auto* cell : cells) {
      std::string value = dimension(*cell, name);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
    }
    if (values.size() > 1)
      fail(ErrorKind::usage, "--against compares one {}; choose with --where '{}={}' (there are: {})", name, name,
           values.front(), fmt::join(values, "; "));
  }
  Against out;
  out.model = cells.front()->model;
  const Matcher matcher(cells, data);
  for (const auto& value : published.values) out.values.push_back(compare_value(matcher, value));
  std::vector<Comparison> comparisons(published.claims.size());
  std::vector<Comparison*> family;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    out.claims.push_back(test_claim(matcher, published.claims[i], comparisons[i]));
    if (out.claims[i].difference) family.push_back(&comparisons[i]);
  }
  holm_correct(family);
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    if (!out.claims[i].difference) continue;
    out.claims[i].p = comparisons[i].p_holm;
    out.claims[i].verdict = judge(out.claims[i], comparisons[i]);
  }
  out.published = std::move(published);
  out.notes = table_foot(strategy_notes(cells));
  out.warnings = table_warnings(data, cells, false);
  return out;
}

}  // namespace kvmend
