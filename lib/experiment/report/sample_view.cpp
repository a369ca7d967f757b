#include "experiment/report/sample_view.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/table/dimension.h"
#include "experiment/table/table.h"
#include "experiment/text/labels.h"

namespace kvmend {
namespace {

using Conditions = std::vector<std::pair<std::string, std::string>>;

/// Conditions on one dimension are alternatives, as in tables.
bool fits(const TableCell& cell, const Conditions& where) {
  std::map<std::string, bool> met;
  for (const auto& [name, value] : where) met[name] = met[name] || matches(cell, name, value);
  return std::all_of(met.begin(), met.end(), [](const auto& entry) { return entry.second; });
}

void check_conditions(const std::vector<CellRecord>& cells, const Conditions& where) {
  std::vector<TableCell> all;
  for (const CellRecord& cell : cells) all.push_back(table_cell(cell));
  const auto names = dimension_names(all);
  for (const auto& [name, value] : where) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      fail(ErrorKind::usage, "--where: unknown dimension '{}'{}", name, did_you_mean(name, names));
    }
    std::vector<std::string> values;
    for (const TableCell& cell : all) values.push_back(dimension(cell, name));
    const auto meant = [&](const TableCell& cell) { return matches(cell, name, value); };
    if (std::none_of(all.begin(), all.end(), meant)) {
      fail(ErrorKind::usage, "--where: no cell has {} '{}'{}", name, value, did_you_mean(value, values));
    }
  }
}

int overlap(std::pair<int, int> a, std::pair<int, int> b) {
  return std::max(0, std::min(a.second, b.second) - std::max(a.first, b.first));
}

/// What sets samples of one name apart: the first of their cells' dimensions that differs.
std::string told_apart_by(const std::vector<TableCell>& cells) {
  for (const char* name : {"task", "model", "chunker", "chat", "tokenize", "system", "length", "seed"}) {
    std::vector<std::string> values;
    for (const TableCell& cell : cells) values.push_back(fmt::format("--where '{}={}'", name, dimension(cell, name)));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (values.size() > 1) return fmt::format("add {}", fmt::join(values, " or "));
  }
  return "add --where 'key=…' with a cell's key (kvmend export shows them)";
}

[[noreturn]] void fail_unknown(Store& store, const std::string& name) {
  std::vector<std::string> names;
  for (const SampleRow& row : store.samples()) names.push_back(row.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (names.empty()) fail(ErrorKind::usage, "{}: holds no samples yet", store.path().string());
  const std::string near = nearest_name(name, names);
  fail(ErrorKind::usage, "{}: no sample '{}'; {}", store.path().string(), name,
       near.empty() ? fmt::format("it holds {}, from {} to {}", names.size(), names.front(), names.back())
                    : fmt::format("did you mean '{}'?", near));
}

CellView view_of(const SampleView& view, const CellRecord& cell, ResultRecord result) {
  CellView out{cell, std::move(result), {}, {}};
  const Outcome& outcome = out.result.outcome;
  out.given = as_given(outcome, view.sample.units);
  out.use = budget_use(out.given.selected, view.sample.units, view.sample.evidence);
  out.use.name = cell.label;
  out.use.ratio = cell.ratio ? format_number(*cell.ratio) : "–";
  out.use.exact = outcome.exact_selected;
  return out;
}

}  // namespace

std::string SampleView::text(int begin, int end) const {
  const TokenTable& t = sample.tokens;
  if (begin >= end || t.begin.empty()) return {};
  const std::size_t from = t.begin.at(static_cast<std::size_t>(begin)),
                    to = t.end.at(static_cast<std::size_t>(end) - 1);
  return from < to ? sample.text.substr(from, to - from) : std::string();
}

std::string SampleView::unit_name(std::size_t unit) const {
  if (sample.units[unit].kind == UnitKind::prefix) return "prefix";
  const bool has_prefix = sample.units.front().kind == UnitKind::prefix;
  return fmt::format("chunk {}", unit + (has_prefix ? 0 : 1));
}

int SampleView::evidence_in(const Unit& unit) const {
  int tokens = 0;
  for (const auto& span : sample.evidence) tokens += overlap(span, {unit.begin, unit.end});
  return tokens;
}

SelectionOverlap selection_overlap(const SampleView& view, double ratio) {
  std::vector<std::string> names;
  std::vector<std::vector<int>> selections;
  const CellView* reference = nullptr;
  for (const CellView& cell : view.cells) {
    if (cell.failed()) continue;
    const std::string& strategy = cell.cell.strategy;
    if (!cell.given.scores.empty() && (strategy == "oracle_attention" || (strategy == "prophetkv" && !reference)))
      reference = &cell;
    if (ratio >= 0 && cell.cell.ratio && std::abs(*cell.cell.ratio - ratio) > 1e-9) continue;
    const std::vector<int>& chosen = cell.given.selected;
    if (chosen.empty() || static_cast<int>(chosen.size()) == view.sample.n_context) continue;
    names.push_back(ratio < 0 ? at_ratio(cell.cell.label, cell.cell.ratio) : cell.cell.label);
    selections.push_back(chosen);
  }
  if (!reference) return overlap_of(std::move(names), selections, {}, "");
  TokenRanges exact = exact_rows(view.sample.units, stored_options(reference->cell), reference->result.outcome.order);
  return overlap_of(std::move(names), selections, rank_scores(reference->given.scores, std::move(exact)),
                    reference->cell.label);
}

SampleView load_sample_view(Store& store, const std::string& name, const Conditions& where) {
  const std::vector<CellRecord> cells = store.cells();
  check_conditions(cells, where);
  std::vector<SampleRow> rows = store.find_samples(name);
  if (rows.empty()) fail_unknown(store, name);
  if (std::any_of(rows.begin(), rows.end(), [&](const SampleRow& row) { return row.name != rows.front().name; })) {
    fail(ErrorKind::usage, "{}: several samples end in '{}': {} and {}", store.path().string(), name, rows.front().name,
         rows.back().name);
  }
  std::vector<TableCell> candidates;  // one for each set of prompts
  std::erase_if(rows, [&](const SampleRow& row) {
    const auto cell = std::find_if(cells.begin(), cells.end(), [&](const CellRecord& c) {
      return c.prompts == row.prompts && fits(table_cell(c), where);
    });
    if (cell != cells.end()) candidates.push_back(table_cell(*cell));
    return cell == cells.end();
  });
  if (rows.empty()) fail(ErrorKind::usage, "{}: no result of sample '{}' fits --where", store.path().string(), name);
  if (rows.size() > 1) {
    fail(ErrorKind::usage, "{}: sample '{}' ran with {} different prompts; {}", store.path().string(), name,
         rows.size(), told_apart_by(candidates));
  }

  SampleView view;
  view.sample = store.sample(rows.front().id);
  view.evidence_tokens = evidence_tokens(view.sample.units, view.sample.evidence);
  for (const std::int64_t id : store.result_ids_of_sample(rows.front().id)) {
    ResultRecord result = store.result(id);
    const auto cell =
        std::find_if(cells.begin(), cells.end(), [&](const CellRecord& c) { return c.key == result.cell; });
    if (cell != cells.end() && fits(table_cell(*cell), where)) {
      view.cells.push_back(view_of(view, *cell, std::move(result)));
    }
  }
  return view;
}

}  // namespace kvmend
