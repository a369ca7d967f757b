#include "experiment/report/report.h"

#include <algorithm>
#include <ctime>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/install_paths.h"
#include "experiment/report/parts.h"
#include "experiment/table/cells.h"

namespace kvmend {
namespace {

std::string date(double seconds) {
  if (!(seconds > 0)) return "–";
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::string joined(const std::set<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : "; ") + part;
  return out;
}

/// What ran, where and when, over all stores.
void describe_runs(const std::vector<std::filesystem::path>& stores, OrderedJson& summary, OrderedJson& configs,
                   std::string& title) {
  std::set<std::string> names, hosts, builds, weights, texts;
  double first = 0, last = 0;
  std::size_t failed = 0, results = 0;
  for (const auto& path : stores) {
    Store store = Store::open(path, Store::Mode::read);
    for (const RunRecord& run : store.runs()) {
      names.insert(run.name);
      hosts.insert(fmt::format("{} ({}{})", run.host, run.backend,
                               run.threads > 0 ? fmt::format(", {} threads", run.threads) : ""));
      builds.insert(built_from(run));
      if (texts.insert(run.config).second) configs.push_back(OrderedJson::array({"Config of " + run.name, run.config}));
      first = first > 0 ? std::min(first, run.started) : run.started;
      last = std::max(last, run.finished);
    }
    for (const CellRecord& cell : store.cells())
      weights.insert(fmt::format("{} ({})", cell.model, cell.weights.substr(0, 12)));
    for (const ResultRow& row : store.results()) {
      ++results;
      failed += row.failed;
    }
  }
  title = joined(names);
  const auto add = [&](const char* name, const std::string& value) {
    summary.push_back(OrderedJson::array({name, value}));
  };
  add("Runs", joined(names));
  add("Models (weights)", joined(weights));
  add("Hosts", joined(hosts));
  add("Built from", joined(builds));
  add("Time", date(first) + " to " + date(last));
  add("Results", fmt::format("{}, {} of them failed", results, failed));
}

/// The table with what belongs to it: the oracles of its last columns, warnings, a note.
void add_table(OrderedJson& page, const std::vector<std::filesystem::path>& stores, const TableData& data,
               const ReportQuery& query) {
  const auto oracles = against_oracles(stores, data, query);
  std::vector<std::string> warnings;
  page["rows"] = report_rows(data, oracles, query, warnings);
  page["warnings"] = warnings;
  page["oracles"] = OrderedJson::array();
  for (const AgainstOracle& against : oracles) page["oracles"].push_back(against.oracle);
  if (oracles.empty()) return;
  page["notes"].push_back(
      "overlap (Jaccard), recall: of the selection with each oracle's; tokens that are exact already don't count");
}

std::string fill(std::string page, const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    if (open == std::string::npos) return out + page.substr(at);
    const std::size_t close = page.find("}}", open);
    const std::string name = page.substr(open + 2, close - open - 2);
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.first == name; });
    require(part != parts.end(), "the report's page wants '{}'", name);
    out += page.substr(at, open - at) + part->second;
    at = close + 2;
  }
}

}  // namespace

Report make_report(const std::vector<std::filesystem::path>& stores, const ReportQuery& query) {
  TableData data = load_table_data(stores);
  if (asks_for_evidence(query.where)) split_by_evidence(data, stores);
  Report report;
  OrderedJson page{{"summary", OrderedJson::array()}, {"configs", OrderedJson::array()}};
  std::string title;
  describe_runs(stores, page["summary"], page["configs"], title);
  TableQuery shown;
  shown.where = query.where;
  page["notes"] = table_foot(strategy_notes(filter_cells(data, shown)));
  add_table(page, stores, data, query);
  const std::string plots = query.plots ? report_figures(stores, query, report.notes) : "";
  if (!query.plots) report.notes.emplace_back("there are no plots (--no-plots)");
  std::string plot_notes;
  for (const auto& note : report.notes) plot_notes += "<p>" + escape_html(note) + "</p>\n";
  const auto folder = shipped_path("apps/report");
  const std::string html = read_file(folder / "page.html"), style = read_file(folder / "page.css"),
                    script = read_file(folder / "page.js");
  const std::size_t taken = html.size() + style.size() + script.size() + plots.size() + script_json(page).size();
  const ReportSamples samples = report_samples(stores, data, query, taken);
  page["cells"] = samples.cells;
  page["default_a"] = samples.default_a;
  page["default_b"] = samples.default_b;
  if (!samples.note.empty()) report.notes.push_back(samples.note);
  report.samples = samples.count;
  report.with_text = samples.with_text;
  report.html = fill(html, {{"title", escape_html(title)},
                            {"style", style},
                            {"script", script},
                            {"data", script_json(page)},
                            {"all", samples.all},
                            {"texts", samples.texts},
                            {"plots", plots},
                            {"plot_notes", plot_notes},
                            {"sample_note", escape_html(samples.note)},
                            {"with_text", std::to_string(samples.with_text)},
                            {"of_samples", std::to_string(samples.count)}});
  return report;
}

}  // namespace kvmend
