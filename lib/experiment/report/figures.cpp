#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "experiment/plot/plot.h"
#include "experiment/report/parts.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"

namespace kvmend {
namespace {

using Conditions = std::vector<std::pair<std::string, std::string>>;
using Cells = std::vector<const TableCell*>;

/// Conditions in which one value takes the place of whatever they said of a dimension.
Conditions with(Conditions where, const std::string& name, const std::string& value) {
  std::erase_if(where, [&](const auto& condition) { return condition.first == name; });
  where.emplace_back(name, value);
  return where;
}

/// The values of a dimension, in the cells' order.
std::vector<std::string> values_of(const Cells& cells, const std::string& name) {
  std::vector<std::string> values;
  for (const auto* cell : cells) {
    std::string value = dimension(*cell, name);
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
  }
  return values;
}

/// Of some kinds one ratio fills a figure: the one nearest to 20 %.
Conditions at_one_ratio(const Conditions& where, const Cells& cells) {
  std::optional<double> nearest;
  for (const auto* cell : cells) {
    const auto ratio = cell->record.ratio;
    if (ratio && (!nearest || std::abs(*ratio - 0.2) < std::abs(*nearest - 0.2))) nearest = ratio;
  }
  return nearest ? with(where, "ratio", format_number(*nearest)) : where;
}

class Figures {
 public:
  Figures(const std::vector<std::filesystem::path>& stores, const ReportQuery& query, std::vector<std::string>& notes)
      : stores_(stores), data_(load_table_data(stores, PlotQuery{}.oracle)), notes_(notes) {
    if (asks_for_evidence(query.where)) split_by_evidence(data_, stores);
  }

  Cells cells(const Conditions& where) const {
    TableQuery query;
    query.where = where;
    return filter_cells(data_, query);
  }

  /// `place`: the model and chunker, where there are several.
  void add(const std::string& kind, const std::string& caption, const std::string& place, const Conditions& where) {
    if (stopped_) return;
    PlotQuery plot;
    plot.kind = kind;
    plot.where = where;
    if (kind == "ttft") {
      std::set<std::pair<std::string, std::string>> bars;
      for (const auto* cell : cells(where)) bars.emplace(cell->strategy, dimension(*cell, "ratio"));
      plot.height = std::max(plot.height, 1.2 + 0.1 * static_cast<double>(bars.size()));
    }
    const std::string name =
        (std::filesystem::temp_directory_path() / fmt::format("kvmend-report-{}-{}.svg", ::getpid(), kind)).string();
    try {
      write_plot(stores_, data_, plot, name);
      html_ += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", own_ids(read_file(name)),
                           escape_html(caption + (place.empty() ? "" : ": " + place)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::usage) throw;
      const std::string_view said = error.what();
      stopped_ = said.starts_with("gnuplot is not installed");  // so it is for the others
      if (stopped_) {
        notes_.push_back(fmt::format("there are no plots: {}", said));
      } else if (!said.starts_with("there is nothing to plot")) {  // such stores are common
        notes_.push_back(fmt::format("no {} plot{}: {}", kind, place.empty() ? "" : " of " + place, said));
      }
    }
    std::error_code ignored;
    std::filesystem::remove(name, ignored);
  }

  const std::string& html() const { return html_; }

 private:
  /// Ids are a document's: gnuplot gives each figure the same ones.
  std::string own_ids(std::string svg) {
    const std::string own = fmt::format("f{}-", ++count_);
    for (const std::string mark : {"id=\"", "url(#", "href=\"#", "href='#", "id='"}) {
      for (std::size_t at = 0; (at = svg.find(mark, at)) != std::string::npos; at += mark.size() + own.size())
        svg.insert(at + mark.size(), own);
    }
    return svg.substr(svg.find("<svg"));
  }

  const std::vector<std::filesystem::path>& stores_;
  TableData data_;
  std::vector<std::string>& notes_;
  std::string html_;
  int count_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::string report_figures(const std::vector<std::filesystem::path>& stores, const ReportQuery& query,
                           std::vector<std::string>& notes) {
  constexpr int most = 8;  // models and chunkers that a reader will look at
  Figures figures(stores, query, notes);
  const Cells all = figures.cells(query.where);
  const auto models = values_of(all, "model");
  int drawn = 0, places = 0;
  for (const auto& model : models) {
    const Conditions of_model = with(query.where, "model", model);
    const Cells cells = figures.cells(of_model);
    const auto chunkers = values_of(cells, "chunker");
    figures.add("chunk-size", "Quality against chunk size", models.size() > 1 ? model : "",
                at_one_ratio(of_model, cells));
    for (const auto& chunker : chunkers) {
      ++places;
      if (drawn == most) continue;
      ++drawn;
      const Conditions where = with(of_model, "chunker", chunker);
      const Conditions one = at_one_ratio(where, figures.cells(where));
      std::string place = models.size() > 1 ? model : "";
      if (chunkers.size() > 1) place += (place.empty() ? "" : ", ") + chunker;
      figures.add("quality-cost", "Quality against cost, 95 % intervals", place, where);
      figures.add("ratio", "Quality against the recomputation ratio, 95 % intervals", place, where);
      figures.add("ttft", "Time to first token by phase, medians", place, where);
      figures.add("overlap", "How much strategies select the same", place, one);
      figures.add("crowding-out", "What of the selection the query does not attend to", place, where);
      figures.add("niah", "Needles by length and depth", place, one);
    }
  }
  if (places > drawn)
    notes.push_back(
        fmt::format("plots of the first {} of {} models and chunkers; --where chooses others", drawn, places));
  return figures.html();
}

}  // namespace kvmend
