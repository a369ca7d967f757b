#include "experiment/compare/compare.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/compare/cell_variant.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/table/table.h"
#include "experiment/table/value.h"

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

/// What one comparison is over: cells that agree in all that their results depend on but the strategy, the ratio and the task.
std::string place_of(const TableCell& cell) {
  Value rest = cell.record.canonical;
  for (const char* own : {"strategy", "ratio", "task"}) rest.erase(own);
  return fmt::format("{}\n{}\n{}\n{}", cell.model, cell.record.chunker.canonical(), rest.canonical(), cell.evidence);
}

/// The dimensions that places differ in, beside the model and the chunker.
const std::vector<std::string>& place_dimensions() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out = {"dtype", "backend", "load_from"};
    for (const std::string& name : prompt_dimensions()) {
      if (name != "chunker" && name != "data") out.push_back(name);
    }
    return out;
  }();
  return names;
}

/// One task over two files of questions has one label: rows that nobody could tell apart, and a mean over both.
void require_one_data(const Cells& sides) {
  std::map<std::vector<std::string>, std::set<std::string>> data;
  for (const auto* cell : sides) {
    data[{place_of(*cell), cell->strategy, dimension(*cell, "ratio"), cell->task}].insert(dimension(*cell, "data"));
  }
  for (const auto& [of, own] : data) {
    if (own.size() > 1)
      fail(ErrorKind::usage, "{} was run over several data; choose with --where 'data={}' (there are: {})", of.back(),
           *own.begin(), fmt::join(own, "; "));
  }
}

/// Why cells of two strategies do not pair: " (max_new_tokens is 32 for epic, 64 for full)".
std::string parted_by(const Cells& sides, const std::string& a, const std::string& b) {
  std::vector<std::string> names = place_dimensions();
  for (const char* name : {"data", "chunker", "model"}) names.insert(names.begin(), name);
  for (const std::string& name : names) {
    std::set<std::string> of_a, of_b, both;
    for (const auto* cell : sides) (cell->strategy == a ? of_a : of_b).insert(heading(name, dimension(*cell, name)));
    std::set_intersection(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(), std::inserter(both, both.end()));
    if (both.empty() && !of_a.empty() && !of_b.empty())
      return fmt::format(" ({} is {} for {}, {} for {})", name, fmt::join(of_a, "; "), a, fmt::join(of_b, "; "), b);
  }
  return "";
}

/// By place and ratio (−1: none), in the order met.
std::map<std::string, std::map<double, Cells>> group(const Cells& cells, const std::string& label) {
  std::map<std::string, std::map<double, Cells>> out;
  for (const auto* cell : cells) {
    if (cell->strategy == label) out[place_of(*cell)][cell->record.ratio.value_or(-1)].push_back(cell);
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
  Comparer(const TableData& data, const CompareQuery& query, const Cells& sides)
      : query_(query), sides_(sides), references_(data.cells) {}

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
    row.variant = variant_of(*a.front(), of_model(row.model), place_dimensions());
    row.a = macro_mean(pairs, &PairedTask::a);
    row.b = macro_mean(pairs, &PairedTask::b);
    row.effective_ratio = mean_cost(a, &Observation::effective_ratio);
    row.flops_ratio = mean_cost(a, &Observation::flops_ratio);
    result.rows.push_back(std::move(row));
  }

  /// Another model has another tokenizer and chat format anyway.
  Cells of_model(const std::string& model) const {
    Cells out;
    std::copy_if(sides_.begin(), sides_.end(), std::back_inserter(out),
                 [&](const TableCell* cell) { return cell->model == model; });
    return out;
  }

  const CompareQuery& query_;
  const Cells& sides_;  ///< all cells of both strategies
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
  Cells sides;
  std::copy_if(shown.begin(), shown.end(), std::back_inserter(sides), [&](const TableCell* cell) {
    return (cell->strategy == result.a || cell->strategy == result.b) && !cell->observations.empty();
  });
  require_one_data(sides);
  const auto left = group(sides, result.a), right = group(sides, result.b);
  const Comparer comparer(data, query, sides);
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
    fail(ErrorKind::usage, "'{}' and '{}' have no samples in common{}{}", result.a, result.b,
         query.ratio    ? fmt::format(" at the ratio {}", *query.ratio)
         : query.solved ? " that full prefill solves"
                        : "",
         parted_by(sides, result.a, result.b));
  }
  std::vector<Comparison*> family;
  for (auto& row : result.rows) family.push_back(&row.comparison);
  holm_correct(family);
  result.notes = table_foot(strategy_notes(sides));
  if (query.solved) result.notes.emplace_back("only samples that full prefill solves");
  if (!data.metric.empty()) result.notes.push_back("scored by " + data.metric);
  for (const auto& [name, value] : query.where) result.notes.push_back(fmt::format("only {} = {}", name, value));
  return result;
}

}  // namespace kvmend
