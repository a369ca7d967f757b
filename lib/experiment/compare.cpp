#include "experiment/compare.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/table.h"
#include "experiment/table_cells.h"
#include "experiment/table_value.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;

/// The label that a name means.
std::string find_label(const TableData& data, const std::string& name) {
  std::vector<std::string> labels, of_name;
  for (const auto& cell : data.cells) {
    if (cell.strategy == name) return name;
    const auto add = [&](std::vector<std::string>& list) {
      if (std::find(list.begin(), list.end(), cell.strategy) == list.end()) list.push_back(cell.strategy);
    };
    add(labels);
    if (cell.record.strategy == name) add(of_name);
  }
  if (of_name.size() == 1) return of_name.front();
  if (of_name.size() > 1)
    fail(ErrorKind::usage, "'{}' is several strategies here; choose one of: '{}'", name, fmt::join(of_name, "', '"));
  fail(ErrorKind::usage, "the store has no strategy '{}'{}", name, did_you_mean(name, labels));
}

/// What one comparison is over: cells of one model and chunker and everything else but the task.
std::string place_of(const TableCell& cell) {
  const CellRecord& r = cell.record;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", cell.model, r.chunker.canonical(), r.dtype, r.backend, r.load_from,
                     r.tokenize, cell.evidence);
}

/// By place and ratio (−1: none), in the order met.
std::map<std::string, std::map<double, Cells>> group(const Cells& cells, const std::string& label) {
  std::map<std::string, std::map<double, Cells>> out;
  for (const auto* cell : cells) {
    if (cell->strategy == label && !cell->observations.empty())
      out[place_of(*cell)][cell->record.ratio.value_or(-1)].push_back(cell);
  }
  return out;
}

double macro_mean(const std::vector<PairedTask>& tasks, std::vector<double> PairedTask::*side) {
  double sum = 0;
  int n = 0;
  for (const auto& task : tasks) {
    const auto& values = task.*side;
    if (values.empty()) continue;
    sum += std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    ++n;
  }
  return n ? sum / n : 0;
}

double mean_cost(const Cells& cells, double Observation::*field) {
  double sum = 0;
  for (const auto* cell : cells) {
    double own = 0;
    for (const auto& o : cell->observations) own += o.*field;
    sum += own / static_cast<double>(cell->observations.size());
  }
  return sum / static_cast<double>(cells.size());
}

class Comparer {
 public:
  Comparer(const TableData& data, const CompareQuery& query) : query_(query), references_(data.cells) {}

  void add(CompareResult& result, double ratio, const Cells& a, const Cells& b) const {
    for (const auto* cell : a) add_row(result, ratio, cell->task, {cell}, b);
    if (a.size() > 1) add_row(result, ratio, "", a, b);
  }

 private:
  void add_row(CompareResult& result, double ratio, const std::string& task, const Cells& a, const Cells& b) const {
    const auto pairs = pair_by_task(a, b, query_.solved ? &references_ : nullptr);
    CompareRow row;
    row.comparison = compare_paired(pairs, {.method = query_.interval});
    if (row.comparison.difference.n == 0) return;
    if (ratio >= 0) row.ratio = ratio;
    row.task = task;
    row.model = a.front()->model;
    row.chunker = dimension(*a.front(), "chunker");
    if (!a.front()->evidence.empty()) row.chunker += ", evidence " + a.front()->evidence;
    row.a = macro_mean(pairs, &PairedTask::a);
    row.b = macro_mean(pairs, &PairedTask::b);
    row.effective_ratio = mean_cost(a, &Observation::effective_ratio);
    row.flops_ratio = mean_cost(a, &Observation::flops_ratio);
    result.rows.push_back(std::move(row));
  }

  const CompareQuery& query_;
  References references_;
};

}  // namespace

CompareResult compare_strategies(const TableData& data, const CompareQuery& query) {
  CompareResult result;
  result.a = find_label(data, query.a);
  result.b = find_label(data, query.b);
  if (result.a == result.b) fail(ErrorKind::usage, "'{}' and '{}' are the same strategy", query.a, query.b);
  TableQuery chosen;
  chosen.where = query.where;
  const Cells shown = filter_cells(data, chosen);
  const auto left = group(shown, result.a), right = group(shown, result.b);
  const Comparer comparer(data, query);
  for (const auto& [place, by_ratio] : left) {
    const auto there = right.find(place);
    if (there == right.end()) continue;
    const auto& others = there->second;
    std::vector<double> ratios;
    for (const auto* side : {&by_ratio, &others}) {
      for (const auto& [ratio, cells] : *side) {
        if (query.ratio && ratio >= 0 && ratio != *query.ratio) continue;
        if (std::find(ratios.begin(), ratios.end(), ratio) == ratios.end()) ratios.push_back(ratio);
      }
    }
    std::sort(ratios.begin(), ratios.end());
    for (const double ratio : ratios) {
      const auto at = [&](const std::map<double, Cells>& side) {
        const auto found = side.find(ratio);
        return found != side.end() ? found : side.find(-1);  // a baseline stands beside every ratio
      };
      const auto a = at(by_ratio), b = at(others);
      if (a == by_ratio.end() || b == others.end()) continue;
      result.params = a->second.front()->params;
      comparer.add(result, ratio, a->second, b->second);
    }
  }
  if (result.rows.empty()) {
    fail(ErrorKind::usage, "'{}' and '{}' have no samples in common{}", result.a, result.b,
         query.ratio    ? fmt::format(" at the ratio {}", *query.ratio)
         : query.solved ? " that full prefill solves"
                        : "");
  }
  std::vector<Comparison*> family;
  for (auto& row : result.rows) family.push_back(&row.comparison);
  holm_correct(family);
  Cells sides;
  std::copy_if(shown.begin(), shown.end(), std::back_inserter(sides),
               [&](const TableCell* cell) { return cell->strategy == result.a || cell->strategy == result.b; });
  result.notes = table_foot(strategy_notes(sides));
  if (query.solved) result.notes.emplace_back("only samples that full prefill solves");
  if (!data.metric.empty()) result.notes.push_back("scored by " + data.metric);
  for (const auto& [name, value] : query.where) result.notes.push_back(fmt::format("only {} = {}", name, value));
  return result;
}

}  // namespace kvmend
