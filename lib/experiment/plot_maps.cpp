// Plots of areas: TTFT by phase, needles by length and depth, overlap of selections.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "experiment/gnuplot.h"
#include "experiment/plot_kinds.h"
#include "experiment/run_facts.h"
#include "experiment/table_cells.h"
#include "experiment/table_marks.h"

namespace kvmend {
namespace {

/// Light to dark, even in grey (after cividis: Nuñez, Anderton, Renslow 2018).
constexpr const char* palette =
    "set palette defined (0 '#00224e', 0.25 '#35456c', 0.5 '#7c7b78', 0.75 '#bcae6c', 1 '#fee838')\n"
    "set cbrange [0:100]\nset cbtics 25\n";

std::string label_of(const TableCell& cell) {
  return with_note(cell.strategy, cell.note) +
         (cell.record.ratio ? ", " + heading("ratio", format_number(*cell.record.ratio)) : "");
}

/// Cells by label, in the order met.
struct Group {
  std::string label;
  std::vector<const TableCell*> cells;
};
std::vector<Group> group_cells(const PlotInput& input) {
  TableQuery query;
  query.where = input.query.where;
  std::vector<Group> groups;
  for (const auto* cell : filter_cells(input.data, query)) {
    if (cell->observations.empty()) continue;
    const std::string label = label_of(*cell);
    auto at = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.label == label; });
    if (at == groups.end()) at = groups.insert(groups.end(), {label, {}});
    at->cells.push_back(cell);
  }
  return groups;
}

struct Phase {
  const char* title;
  double PhaseSeconds::*seconds;
  const char* colour;
};
constexpr Phase phases[] = {
    {"load", &PhaseSeconds::load, "#999999"},     {"place", &PhaseSeconds::place, "#56B4E9"},
    {"select", &PhaseSeconds::select, "#D55E00"}, {"recompute", &PhaseSeconds::recompute, "#0072B2"},
    {"query", &PhaseSeconds::query, "#E69F00"},   {"first token", &PhaseSeconds::first_token, "#000000"}};

/// A text on a dark or a light field.
const char* ink(double percent) { return percent < 45 ? "#ffffff" : "#000000"; }

}  // namespace

std::string plot_ttft(const PlotInput& input) {
  const auto groups = group_cells(input);
  bool shared = false;
  std::size_t samples = 0, longest = 0;
  std::string rows;
  for (const Group& group : groups) {
    double sums[std::size(phases)] = {};
    for (const auto* cell : group.cells) {
      samples = std::max(samples, cell->observations.size());
      for (const auto& o : cell->observations) {
        shared = shared || o.shared_timing;
        for (std::size_t p = 0; p < std::size(phases); ++p)
          sums[p] += 1000 * (o.seconds.*phases[p].seconds) / static_cast<double>(cell->observations.size()) /
                     static_cast<double>(group.cells.size());
      }
    }
    longest = std::max(longest, group.label.size());
    std::string label = group.label;  // a data block's strings have no escapes
    std::replace(label.begin(), label.end(), '"', '\'');
    rows += "\"" + label + "\"";
    for (const double sum : sums) rows += fmt::format(" {:.6g}", sum);
    rows += "\n";
  }
  std::string out = fmt::format(
      "$d << EOD\n{}EOD\n{}set style data histograms\nset style histogram rowstacked\n"
      "set style fill solid 1 border rgb '#ffffff'\nset boxwidth 0.75\nset ylabel 'TTFT in ms, mean'\n"
      "set yrange [0:*]\nset xtics rotate by 90 right offset 0,-0.2 font small\nset tmargin 3.2\nset bmargin {}\nplot ",
      rows,
      gnuplot::caption(
          fmt::format("TTFT by phase · {} samples a task{}", samples,
                      shared ? " · read off a sweep that shares work (bench select measures each alone)" : "")),
      2 + 0.42 * static_cast<double>(longest));
  for (std::size_t p = 0; p < std::size(phases); ++p) {
    out += fmt::format("{}$d using {}{} lc rgb '{}' title '{}'", p ? ", " : "", p + 2, p == 0 ? ":xtic(1)" : "",
                       phases[p].colour, phases[p].title);
  }
  return out + "\n";
}

/// Fields of depth: ten, or as many as a grid of needles has depths where it has fewer.
int depth_bins(const std::vector<Group>& groups) {
  int bins = 0;
  for (const Group& group : groups) {
    for (const auto* cell : group.cells) {
      if (dimension(*cell, "length").empty()) continue;
      const std::string depths = dimension(*cell, "depths");
      bins = std::max(bins, depths.empty() ? 10 : static_cast<int>(std::strtol(depths.c_str(), nullptr, 10)));
    }
  }
  return std::clamp(bins, 2, 10);
}

std::string plot_niah(const PlotInput& input) {
  constexpr std::size_t most = 12;  // maps whose titles are readable
  struct Mean {
    double sum = 0;
    int n = 0;
  };
  std::set<double> lengths;
  std::map<std::string, std::map<std::pair<double, int>, Mean>> maps;
  const auto groups = group_cells(input);
  const int bins = depth_bins(groups);
  for (const Group& group : groups) {
    for (const auto* cell : group.cells) {
      const std::string length = dimension(*cell, "length");
      if (length.empty()) continue;
      for (const auto& o : cell->observations) {
        if (std::isnan(o.overlap.depth)) continue;
        const double tokens = std::strtod(length.c_str(), nullptr);
        lengths.insert(tokens);
        Mean& mean = maps[group.label][{tokens, std::min(bins - 1, static_cast<int>(o.overlap.depth * bins))}];
        mean.sum += o.score;
        ++mean.n;
      }
    }
  }
  if (maps.empty())
    fail(ErrorKind::usage,
         "there is nothing to plot: niah needs a task with a length and marked evidence (ruler/niah_…, niah/grid)");
  std::vector<std::string> labels;
  for (const Group& group : groups) {
    if (maps.contains(group.label)) labels.push_back(group.label);
  }
  if (labels.size() > most)
    fail(ErrorKind::usage,
         "{} heat maps are more than a figure holds ({}); choose with --where, e.g. --where ratio=0.2", labels.size(),
         most);
  const auto columns = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(labels.size()))));
  const std::size_t rows = (labels.size() + columns - 1) / columns;
  std::string tics;
  int at = 0;
  for (const double length : lengths) tics += fmt::format("{}'{}' {}", at ? ", " : "", length, at), ++at;
  std::string out = fmt::format(
      "{}unset key\nunset tmargin\nset multiplot layout {},{} margins 0.12,0.88,0.14,0.84 spacing 0.05,{} title "
      "'score × 100 by length in tokens (across) and depth (down); grey: no sample'\n"
      "set colorbox user origin 0.91,0.25 size 0.015,0.5\nset cbtics font small\n"
      "set xtics ({}) font small\nset ytics font small\nset xrange [-0.5:{}]\nset yrange [{}:0]\nunset grid\n"
      "set border 15\nset object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#cccccc' fs solid noborder\n",
      palette, rows, columns, rows > 1 ? 0.36 / static_cast<double>(rows) : 0.12, tics,
      static_cast<double>(lengths.size()) - 0.5, bins);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::string data, texts;
    int x = 0;
    for (const double length : lengths) {
      for (int bin = 0; bin < bins; ++bin) {
        const auto found = maps[labels[i]].find({length, bin});
        if (found == maps[labels[i]].end()) continue;
        const double percent = 100 * found->second.sum / found->second.n;
        data += fmt::format("{} {} {}\n", x, bin + 0.5, percent);
        if (rows <= 2 && lengths.size() * columns <= 20)
          texts += fmt::format("set label '{:.0f}' at {},{} center front font small tc rgb '{}'\n", percent, x,
                               bin + 0.5, ink(percent));
      }
      ++x;
    }
    const bool outer = i % columns == 0;  // the depths stand beside the first of each row
    out += fmt::format(
        "unset label\n{}$m{} << EOD\n{}EOD\nset ytics ({}) font small\nset title {} font small offset 0,-0.6\n"
        "plot $m{} using 1:2:(0.5):(0.5):3 with boxxyerror fs solid noborder lc palette notitle\n",
        texts, i, data,
        outer ? fmt::format("'0 %%' 0, '50 %%' {}, '100 %%' {}", bins / 2.0, bins)
              : fmt::format("'' 0, '' {}, '' {}", bins / 2.0, bins),
        gnuplot::quote(labels[i]), i);
  }
  return out + "unset multiplot\n";
}

std::string plot_overlap(const PlotInput& input) {
  // Selections by result; cells' labels by key.
  TableQuery query;
  query.where = input.query.where;
  std::map<std::string, std::string> label_of_key;
  std::vector<std::string> labels;
  std::set<std::string> ratios;
  for (const auto* cell : filter_cells(input.data, query)) {
    if (!cell->record.ratio) continue;
    const std::string label = with_note(cell->strategy, cell->note);
    label_of_key[cell->record.key] = label;
    ratios.insert(format_number(*cell->record.ratio));
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(label);
  }
  if (ratios.size() > 1)
    fail(ErrorKind::usage, "overlap compares selections at one ratio; choose it with --where ratio={}",
         *ratios.begin());
  std::map<std::string, std::map<std::string, std::vector<int>>> chosen;  // by sample, by label
  for (const auto& path : input.stores) {
    Store store = Store::open(path, Store::Mode::read);
    Statement row = store.database().prepare(
        "SELECT c.key, s.prompts || ':' || s.position, x.n, x.bitmap FROM selections x JOIN results r USING (result) "
        "JOIN cells c USING (cell) JOIN samples s USING (sample) WHERE x.kind IN ('original', 'selected') AND x.layer "
        "= "
        "-1 AND x.chosen > 0 ORDER BY x.result, x.kind");  // of reordered chunks the indices in the given order count
    while (row.step()) {
      const auto label = label_of_key.find(row.text(0));
      if (label != label_of_key.end())
        chosen[row.text(1)].emplace(label->second, unpack_indices(row.blob(3), static_cast<int>(row.integer(2))));
    }
  }
  std::map<std::pair<std::size_t, std::size_t>, std::pair<double, int>> sums;
  for (const auto& [sample, sets] : chosen) {
    for (std::size_t a = 0; a < labels.size(); ++a) {
      for (std::size_t b = 0; b < labels.size(); ++b) {
        const auto x = sets.find(labels[a]), y = sets.find(labels[b]);
        if (x == sets.end() || y == sets.end()) continue;
        std::vector<int> both;
        std::set_intersection(x->second.begin(), x->second.end(), y->second.begin(), y->second.end(),
                              std::back_inserter(both));
        auto& [sum, n] = sums[{a, b}];
        sum +=
            static_cast<double>(both.size()) / static_cast<double>(x->second.size() + y->second.size() - both.size());
        ++n;
      }
    }
  }
  if (labels.size() < 2 || sums.empty())
    fail(ErrorKind::usage, "there is nothing to plot: overlap needs the selections of two strategies at one ratio");
  std::string data, texts, tics;
  for (std::size_t i = 0; i < labels.size(); ++i)
    tics += fmt::format("{}{} {}", i ? ", " : "", gnuplot::tic_label(labels[i]), i);
  for (const auto& [at, mean] : sums) {
    const double percent = 100 * mean.first / mean.second;
    data += fmt::format("{} {} {}\n", at.first, at.second, percent);
    texts += fmt::format("set label '{:.0f}' at {},{} center front tc rgb '{}'\n", percent, at.first, at.second,
                         ink(percent));
  }
  const double end = static_cast<double>(labels.size()) - 0.5;
  return fmt::format(
      "{}{}$m << EOD\n{}EOD\n{}unset key\nunset grid\nset border 15\nset size square\nset xtics ({}) "
      "rotate by 40 "
      "right\nset ytics ({})\nset xrange [-0.5:{}]\nset yrange [{}:-0.5]\n"
      "plot $m using 1:2:(0.5):(0.5):3 with boxxyerror fs solid noborder lc palette notitle\n",
      palette, texts, data,
      gnuplot::caption(fmt::format("Jaccard overlap of selections at {}, % · {} samples",
                                   ratios.empty() ? "" : heading("ratio", *ratios.begin()), chosen.size())),
      tics, tics, end, end);
}

}  // namespace kvmend
