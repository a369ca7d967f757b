#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/compare/compare.h"
#include "experiment/table/cells.h"
#include "experiment/text/csv.h"
#include "experiment/text/latex.h"
#include "experiment/text/rows.h"

namespace kvmend {
namespace {

std::string signed_points(double x) {
  const std::string text = fmt::format("{:+.1f}", 100 * x);
  return text == "-0.0" ? "+0.0" : text;
}

std::string p_text(double p) { return p < 0.001 ? "<0.001" : fmt::format("{:.3f}", p); }

std::string verdict(const CompareResult& result, const Comparison& c) {
  if (!c.distinguishable()) return "not distinguishable";
  return (c.difference.value > 0 ? result.a : result.b) + " is better";
}

std::string points_or_dash(double x) { return std::isnan(x) ? "–" : fmt::format("{:.0f}", std::min(100.0, 100 * x)); }

/// What a row's cells are over, where not all rows' are over the same: "other-model, fixed: 64, max_new_tokens: 64".
std::string place_of(const CompareResult& result, const CompareRow& row) {
  std::string out;
  for (std::string CompareRow::*field : {&CompareRow::model, &CompareRow::chunker, &CompareRow::variant}) {
    const bool same = std::all_of(result.rows.begin(), result.rows.end(),
                                  [&](const CompareRow& other) { return other.*field == row.*field; });
    if (!same && !(row.*field).empty()) out += (out.empty() ? "" : ", ") + row.*field;
  }
  return out;
}

TextRows cells_of(const CompareResult& result) {
  TextRows rows{{"ratio", "task", "n", result.a, result.b, "difference [95 %]", "p", "p (Holm)", "d", "won–lost–same",
                 "could see", "verdict"}};
  for (const CompareRow& row : result.rows) {
    const Comparison& c = row.comparison;
    const auto& interval = c.difference.interval;
    rows.push_back(
        {heading("ratio", row.ratio ? format_number(*row.ratio) : ""), row.task.empty() ? "all" : row.task,
         std::to_string(c.difference.n), fmt::format("{:.1f}", 100 * row.a), fmt::format("{:.1f}", 100 * row.b),
         signed_points(c.difference.value) +
             (interval ? fmt::format(" [{}, {}]", signed_points(interval->lo), signed_points(interval->hi)) : " [–]"),
         p_text(c.p), p_text(c.p_holm), std::isnan(c.effect) ? "–" : fmt::format("{:+.2f}", c.effect),
         fmt::format("{}–{}–{}", c.wins, c.losses, c.ties), points_or_dash(c.detectable), verdict(result, c)});
  }
  std::vector<std::string> places{"over"};
  for (const CompareRow& row : result.rows) places.push_back(place_of(result, row));
  if (std::all_of(places.begin() + 1, places.end(), [](const std::string& place) { return place.empty(); }))
    return rows;
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].insert(rows[i].begin(), places[i]);
  return rows;
}

std::string legend(const CompareResult& result) {
  std::string out = fmt::format(
      "p: paired permutation test over questions; Holm over these {} rows; d: Cohen's d_z; could see: the smallest "
      "difference in points that n shows with 80 % power\n",
      result.rows.size());
  for (const auto& note : result.notes) out += note + "\n";
  return out;
}

/// Alignments: what a row is about and its verdict to the left, figures to the right.
std::string columns_of(const TextRows& rows) {
  const std::size_t left = rows.front().front() == "over" ? 3 : 2;
  return std::string(left, 'l') + std::string(rows.front().size() - left - 1, 'r') + "l";
}

std::string as_text(const CompareResult& result) { return aligned_rows(cells_of(result)) + "\n" + legend(result); }

std::string as_markdown(const CompareResult& result) {
  const TextRows rows = cells_of(result);
  return piped_rows(rows, columns_of(rows)) + "\n" + legend(result);
}

std::string as_latex(const CompareResult& result) {
  TextRows rows = cells_of(result);
  for (auto& row : rows) {
    for (auto& cell : row) cell = latex_text(cell);
  }
  return latex_document({}, "\n{\\footnotesize\\setlength\\tabcolsep{3pt}" + latex_tabular(columns_of(rows), rows) +
                                "\n\\par\\smallskip " + latex_text(legend(result)) + "\\par}\n");
}

Value number(double x) {
  return std::isfinite(x) ? Value(std::strtod(fmt::format("{:.12g}", x).c_str(), nullptr)) : Value();
}

std::vector<std::pair<const char*, Value>> fields(const CompareResult& result, const CompareRow& row) {
  const Comparison& c = row.comparison;
  const auto& interval = c.difference.interval;
  Value params = result.params;
  params.erase("strategy");
  return {{"strategy", result.a},
          {"params", params},
          {"ratio", row.ratio ? Value(*row.ratio) : Value()},
          {"task", row.task.empty() ? Value() : Value(row.task)},
          {"model", row.model},
          {"chunker", row.chunker},
          {"value", "difference"},
          {"n", c.difference.n},
          {"mean", number(c.difference.value)},
          {"lo", interval ? number(interval->lo) : Value()},
          {"hi", interval ? number(interval->hi) : Value()},
          {"effective_ratio", number(row.effective_ratio)},
          {"flops_ratio", number(row.flops_ratio)},
          {"distinguishable", c.distinguishable()},
          {"other", result.b},
          {"mean_a", number(row.a)},
          {"mean_b", number(row.b)},
          {"p", number(c.p)},
          {"p_holm", number(c.p_holm)},
          {"effect", number(c.effect)},
          {"wins", c.wins},
          {"losses", c.losses},
          {"ties", c.ties},
          {"detectable", number(c.detectable)},
          {"variant", row.variant.empty() ? Value() : Value(row.variant)}};
}

std::string as_json(const CompareResult& result) {
  std::string out = "[";
  for (const CompareRow& row : result.rows) {
    out += out.size() == 1 ? "\n  {" : ",\n  {";
    bool first = true;
    for (const auto& [name, value] : fields(result, row)) {
      out += fmt::format("{}\"{}\": {}", first ? "" : ", ", name, value.canonical());
      first = false;
    }
    out += "}";
  }
  return out + "\n]\n";
}

std::string as_csv(const CompareResult& result) {
  std::string out;
  for (const CompareRow& row : result.rows) {
    std::string names, values;
    for (const auto& [name, value] : fields(result, row)) {
      names += (names.empty() ? "" : ",") + std::string(name);
      values += csv_field(value) + ",";
    }
    values.pop_back();
    if (out.empty()) out = names + "\r\n";
    out += values + "\r\n";
  }
  return out;
}

}  // namespace

std::string format_comparison(const CompareResult& result, std::string_view format) {
  if (format == "text") return as_text(result);
  if (format == "md") return as_markdown(result);
  if (format == "csv") return as_csv(result);
  if (format == "latex") return as_latex(result);
  if (format == "json") return as_json(result);
  fail(ErrorKind::usage, "--format: unknown format '{}'{}", format,
       did_you_mean(format, {"text", "md", "csv", "latex", "json"}));
}

}  // namespace kvmend
