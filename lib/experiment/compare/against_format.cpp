#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/compare/against.h"
#include "experiment/table/cells.h"
#include "experiment/text/csv.h"
#include "experiment/text/latex.h"
#include "experiment/text/rows.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

std::string interval_text(const Estimate& e, const char* number) {
  const auto show = [&](double x) { return fmt::format(fmt::runtime(number), 100 * x); };
  return show(e.value) + (e.interval ? fmt::format(" [{}, {}]", show(e.interval->lo), show(e.interval->hi)) : " [–]");
}

/// A group's figure says of how many of its tasks it is.
std::string part_of(int tasks, int of) { return tasks < of ? fmt::format(" ({} of {} tasks)", tasks, of) : ""; }

TextRows value_rows(const Against& against) {
  TextRows rows{{"strategy", "ratio", "task", "their model", "theirs", "ours [95 %]", "n", "difference"}};
  for (const AgainstValue& v : against.values) {
    rows.push_back({v.theirs.strategy, heading("ratio", v.theirs.ratio ? format_number(*v.theirs.ratio) : ""),
                    v.theirs.task + (v.ours ? part_of(v.tasks, v.tasks_of) : ""), v.theirs.model,
                    fmt::format("{:.1f}", v.theirs.score), v.ours ? interval_text(*v.ours, "{:.1f}") : "– " + v.reason,
                    v.ours ? std::to_string(v.ours->n) : "",
                    v.ours ? fmt::format("{:+.1f}", 100 * v.ours->value - v.theirs.score) : ""});
  }
  return rows;
}

TextRows claim_rows(const Against& against) {
  TextRows rows{{"claim", "theirs", "ours [95 %]", "n", "p (Holm)", "could see", "verdict"}};
  for (const AgainstClaim& c : against.claims) {
    const bool tested = c.difference.has_value();
    rows.push_back(
        {c.claim.says, c.claim.theirs, tested ? interval_text(*c.difference, "{:+.1f}") : "",
         tested ? std::to_string(c.difference->n) : "",
         tested ? (c.p < 0.001 ? "<0.001" : fmt::format("{:.3f}", c.p)) : "",
         tested && std::isfinite(c.detectable) ? fmt::format("{:.0f}", 100 * std::min(1.0, c.detectable)) : "",
         std::string(verdict_name(c.verdict)) + (tested ? part_of(c.tasks, c.tasks_of) : ": " + c.reason)});
  }
  return rows;
}

std::string legend() {
  return "ours: better − (factor × than − margin) in points, paired by sample; p: paired permutation test, Holm over "
         "the claims tested; could see: the smallest difference that n shows with 80 % power\n";
}

std::string head(const Against& against) {
  std::string out = fmt::format("{} ({})\n", against.published.title, against.published.source);
  if (!against.published.note.empty()) out += against.published.note + "\n";
  return out + fmt::format("ours: {}\n\n", against.model);
}

std::string prose(const Against& against, const std::function<std::string(const TextRows&)>& table) {
  std::string out = head(against);
  if (!against.values.empty()) out += table(value_rows(against)) + "\n";
  if (!against.claims.empty()) {
    out += table(claim_rows(against)) + "\n" + legend();
  }
  for (const auto& note : against.notes) out += note + "\n";
  for (const auto& warning : against.warnings) out += "warning: " + warning + "\n";
  return out;
}

std::string as_latex(const Against& against) {
  const auto table = [](TextRows rows, const char* columns) {
    for (auto& row : rows) {
      for (auto& cell : row) cell = latex_text(cell);
    }
    return "\n" + latex_tabular(columns, rows);
  };
  const Published& paper = against.published;
  std::vector<std::string> remarks{fmt::format("{} ({})", paper.title, paper.source), "ours: " + against.model};
  if (!paper.note.empty()) remarks.push_back(paper.note);
  for (const auto& warning : against.warnings) remarks.push_back("warning: " + warning);
  std::string body = "\n{\\footnotesize\\setlength\\tabcolsep{3pt}\n";
  if (!against.values.empty()) body += table(value_rows(against), "lrllrp{.25\\linewidth}rr") + "\n\\par\\medskip\n";
  if (!against.claims.empty()) {
    body += table(claim_rows(against), "p{.27\\linewidth}p{.11\\linewidth}lrrrp{.25\\linewidth}") +
            "\n\\par\\smallskip " + latex_text(legend());
  }
  for (const auto& note : against.notes) body += "\n\\par\\smallskip " + latex_text(note);
  return latex_document(remarks, body + "\\par}\n");
}

Json number(double x) {
  return std::isfinite(x) ? Json(std::strtod(fmt::format("{:.12g}", x).c_str(), nullptr)) : Json();
}
template <class T>
Json optional(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

void add_estimate(Json& out, const std::optional<Estimate>& e) {
  out["n"] = e ? Json(e->n) : Json(0);
  out["mean"] = e ? number(e->value) : Json();
  out["lo"] = e && e->interval ? number(e->interval->lo) : Json();
  out["hi"] = e && e->interval ? number(e->interval->hi) : Json();
}

std::string as_json(const Against& against) {
  Json out;
  out["against"] = against.published.name;
  out["source"] = against.published.source;
  out["model"] = against.model;
  out["values"] = Json::array();
  for (const AgainstValue& v : against.values) {
    Json row{{"strategy", v.theirs.strategy},
             {"ratio", optional(v.theirs.ratio)},
             {"task", v.theirs.task},
             {"their_model", v.theirs.model},
             {"theirs", number(v.theirs.score / 100)}};
    add_estimate(row, v.ours);
    row["difference"] = v.ours ? number(v.ours->value - v.theirs.score / 100) : Json();
    row["tasks"] = v.tasks;
    row["tasks_of"] = v.tasks_of;
    if (!v.ours) row["reason"] = v.reason;
    out["values"].push_back(row);
  }
  out["claims"] = Json::array();
  for (const AgainstClaim& c : against.claims) {
    Json row{{"claim", c.claim.says}, {"theirs", c.claim.theirs}, {"verdict", verdict_name(c.verdict)}};
    if (c.claim.not_tested.empty()) {
      row["factor"] = number(c.claim.factor);
      row["margin"] = number(c.claim.margin / 100);
    }
    add_estimate(row, c.difference);
    row["p_holm"] = c.difference ? number(c.p) : Json();
    row["detectable"] = c.difference ? number(c.detectable) : Json();
    row["tasks"] = c.tasks;
    row["tasks_of"] = c.tasks_of;
    if (!c.difference) row["reason"] = c.reason;
    out["claims"].push_back(row);
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string as_csv(const Against& against) {
  std::string out;
  for (const TextRows& rows : {value_rows(against), claim_rows(against)}) {
    if (rows.size() < 2) continue;
    for (const auto& row : rows) {
      std::string line;
      for (const auto& cell : row) line += csv_field(cell) + ",";
      line.pop_back();
      out += line + "\r\n";
    }
  }
  return out;
}

}  // namespace

std::string format_against(const Against& against, std::string_view format) {
  if (format == "text") return prose(against, aligned_rows);
  if (format == "md") {
    return prose(against, [](const TextRows& rows) { return piped_rows(rows, std::string(rows.front().size(), 'l')); });
  }
  if (format == "csv") return as_csv(against);
  if (format == "latex") return as_latex(against);
  if (format == "json") return as_json(against);
  fail(ErrorKind::usage, "--format: --against has no format '{}'{}", format,
       did_you_mean(format, {"text", "md", "csv", "latex", "json"}));
}

}  // namespace kvmend
