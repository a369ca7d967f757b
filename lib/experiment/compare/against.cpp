#include "experiment/compare/against.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "experiment/compare/against_match.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/table/value.h"

namespace kvmend {
namespace {

AgainstValue compare_value(const PaperMatcher& matcher, const References& references, const PublishedValue& theirs) {
  AgainstValue out;
  out.theirs = theirs;
  const auto match = matcher.find(theirs.strategy, theirs.ratio, theirs.task);
  out.tasks = static_cast<int>(match.cells.size());
  out.tasks_of = match.tasks_of;
  out.reason = match.reason;
  if (match.cells.empty()) return out;
  std::string refusal;
  out.ours = estimate_value("score", match.cells, references, IntervalMethod::percentile, refusal);
  if (!out.ours) out.reason = "no sample succeeded";
  return out;
}

/// The same pairs with a margin in favour of a. The interval is moved, not drawn again: where all pairs are equal the margin
/// would be all there is, of which a bootstrap knows nothing, while that no pair of n differs says how rarely any does.
void add_margin(double margin, std::vector<PairedTask>& pairs, Comparison& comparison) {
  for (auto& task : pairs) {
    for (double& score : task.b) score -= margin;
  }
  comparison.p = comparison.p_holm = compare_paired(pairs).p;
  comparison.difference.value += margin;
  if (auto& interval = comparison.difference.interval) {
    interval->lo += margin;
    interval->hi += margin;
  }
}

/// The claim's pairs, and what can be said of them alone; the verdict of an ordering waits for the family.
AgainstClaim test_claim(const PaperMatcher& matcher, const PublishedClaim& claim, Comparison& comparison) {
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
  if (claim.margin != 0) add_margin(claim.margin / 100, pairs, comparison);
  out.difference = comparison.difference;
  out.detectable = comparison.detectable;
  return out;
}

Verdict judge(const AgainstClaim& claim, const Comparison& comparison) {
  if (!comparison.distinguishable()) return Verdict::not_distinguishable;
  const auto& interval = comparison.difference.interval;
  const bool shifted = claim.claim.factor != 1 || claim.claim.margin != 0;
  if (shifted && (!interval || interval->contains(0))) return Verdict::not_distinguishable;
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
  const PaperMatcher::Cells cells = filter_cells(data, query);
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
  const PaperMatcher matcher(cells);
  const References references(data.cells);
  for (const auto& value : published.values) out.values.push_back(compare_value(matcher, references, value));
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
