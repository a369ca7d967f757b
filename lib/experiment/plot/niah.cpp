// Needles found by length and depth: a heat map a strategy.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiment/plot/advice.h"
#include "experiment/plot/figure_names.h"
#include "experiment/plot/gnuplot.h"
#include "experiment/plot/heat_map.h"
#include "experiment/plot/kinds.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

/// Tasks whose evidence is one place at a depth that the task chose: vt's chain and qa's passages are not.
bool hides_needles(const TableCell& cell) {
  return cell.record.task == "niah/grid" || cell.record.task.starts_with("ruler/niah_");
}

/// The conditions, with the tasks among the cells that hide needles in the place of those about tasks.
std::vector<std::pair<std::string, std::string>> on_needles(const PlotInput& input) {
  TableQuery query;
  query.where = input.query.where;
  std::vector<std::pair<std::string, std::string>> where = input.query.where;
  std::erase_if(where, [](const auto& condition) { return condition.first == "task"; });
  std::set<std::string> tasks;
  for (const auto* cell : filter_cells(input.data, query)) {
    const bool seen = std::any_of(cell->observations.begin(), cell->observations.end(),
                                  [](const Observation& o) { return !std::isnan(o.overlap.depth); });
    if (hides_needles(*cell) && seen && tasks.insert(cell->task).second) where.emplace_back("task", cell->task);
  }
  if (tasks.empty())
    fail(ErrorKind::usage,
         "there is nothing to plot: niah needs needles, with their length and marked evidence (ruler/niah_…, "
         "niah/grid)");
  return where;
}

/// Fields of depth: ten, or as many as a grid of needles has depths where it has fewer.
int depth_bins(const std::vector<CellGroup>& groups) {
  int bins = 0;
  for (const auto& group : groups) {
    for (const auto* cell : group.cells) {
      const std::string depths = dimension(*cell, "depths");
      bins = std::max(bins, depths.empty() ? 10 : static_cast<int>(std::strtol(depths.c_str(), nullptr, 10)));
    }
  }
  return std::clamp(bins, 2, 10);
}

using Map = std::map<std::pair<double, int>, FieldMean>;  ///< by length and field of depth

Map map_of(const CellGroup& group, int bins, std::set<double>& lengths) {
  Map map;
  for (const auto* cell : group.cells) {
    const double tokens = std::strtod(dimension(*cell, "length").c_str(), nullptr);
    for (const auto& o : cell->observations) {
      if (std::isnan(o.overlap.depth)) continue;
      lengths.insert(tokens);
      map[{tokens, std::min(bins - 1, static_cast<int>(o.overlap.depth * bins))}].add(o.score);
    }
  }
  return map;
}

/// Lengths beneath a map, as many as there is room for; without `named` their tics alone.
std::string length_tics(const std::set<double>& lengths, double letter, double width, bool named) {
  std::size_t longest = 0, i = 0;
  for (const double length : lengths) longest = std::max(longest, fmt::format("{}", length).size());
  const double needed = static_cast<double>(lengths.size() * (longest + 1)) * letter;
  const auto step = static_cast<std::size_t>(std::max(1.0, std::ceil(needed / width)));
  std::string out;
  for (const double length : lengths) {
    if (i % step == 0) out += fmt::format("{}'{}' {}", i ? ", " : "", named ? fmt::format("{}", length) : "", i);
    ++i;
  }
  return out;
}

}  // namespace

std::string plot_niah(const PlotInput& input) {
  constexpr std::size_t most = 12;  // maps whose titles are readable
  const TableQuery query{{"strategy"}, {"ratio"}, {"n"}, on_needles(input)};
  const Table table = make_table(input.data, query);
  const auto cells = filter_cells(input.data, query);
  const auto groups = group_cells(cells, table);
  if (groups.size() > most)
    fail(ErrorKind::usage, "{} heat maps are more than a figure holds ({}); choose with --where, e.g. {}",
         groups.size(), most, fitting_where(cells, varying_dimensions(table), most, [&](const auto& left) {
           return group_cells(left, table).size();
         }));
  const int bins = depth_bins(groups);
  std::set<double> lengths;
  std::vector<Map> maps;
  for (const auto& group : groups) maps.push_back(map_of(group, bins, lengths));

  const Figure& figure = input.figure;
  const double small = figure.small_line(), gap = 1.2 * small;
  Frame frame{9 * figure.small_letter(), 9 * figure.small_letter() + 0.1, 0, 1.9 * small};
  std::string tasks = plot_caption(table, {"n"});
  if (const auto at = tasks.find("mean of "); at != std::string::npos) tasks.replace(at, 8, "samples of ");
  std::string out = figure.caption(
      tasks + " · score × 100 by length in tokens (across) and the needle's depth (down); grey: no sample", frame);
  const double inner = figure.width() - frame.left - frame.right;
  const double count = static_cast<double>(groups.size());
  const double columns = std::max(1.0, std::min(std::ceil(std::sqrt(count)), std::floor((inner + gap) / (0.9 + gap))));
  const double rows = std::ceil(count / columns);
  const double width = (inner - (columns - 1) * gap) / columns;
  const double height = (figure.height() - frame.top - frame.bottom) / rows - 1.7 * small;
  const auto room = static_cast<std::size_t>((width + 0.5 * gap) / figure.small_letter());
  std::size_t rest = 0;
  for (const auto& group : groups) rest = std::max(rest, display_width(group.rest));
  const FigureNames names(cells, std::clamp<std::size_t>(room - std::min(room, rest), 8, 24));
  const bool texts = height / bins >= small && width / static_cast<double>(lengths.size()) >= 4 * figure.small_letter();
  out += fmt::format(
      "{}set multiplot\nset colorbox user origin {} size {}\nset ytics font small\nset xrange [-0.5:{}]\nset yrange "
      "[{}:0]\nunset grid\nset border 15\nset object 1 rectangle from graph 0,0 to graph 1,1 behind fc rgb '#cccccc' "
      "fs "
      "solid noborder\n",
      heat_palette, figure.at(figure.width() - frame.right + 0.1, 0.25 * figure.height()),
      figure.at(0.1, 0.5 * figure.height()), static_cast<double>(lengths.size()) - 0.5, bins);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::string data, labels;
    int x = 0;
    for (const double length : lengths) {
      for (int bin = 0; bin < bins; ++bin) {
        const auto found = maps[i].find({length, bin});
        if (found == maps[i].end()) continue;
        const double percent = found->second.percent();
        data += fmt::format("{} {} {}\n", x, bin + 0.5, percent);
        if (texts) labels += heat_label(percent, x, bin + 0.5);
      }
      ++x;
    }
    const auto col = static_cast<double>(i % static_cast<std::size_t>(columns));
    const auto row = static_cast<double>(i / static_cast<std::size_t>(columns));
    Frame own;
    own.left = frame.left + col * (width + gap);
    own.right = figure.width() - own.left - width;
    own.top = frame.top + row * (height + 1.7 * small) + 1.4 * small;
    own.bottom = figure.height() - own.top - height;
    const bool lowest = static_cast<double>(i) + columns >= count;
    labels += fmt::format("set label {} at graph 0.5, graph 1 center offset 0,0.6 font small\n",
                          gnuplot::quote(names[groups[i].strategy] + groups[i].rest));
    // The depths stand beside the first of each row, the lengths beneath the last of each column.
    out += fmt::format(
        "{}{}{}set ytics ({})\nset xtics ({}) font small\nplot $m{} using 1:2:(0.5):(0.5):3 with boxxyerror fs solid "
        "noborder lc palette notitle\nunset label\nunset colorbox\n",
        labels, gnuplot::block(fmt::format("m{}", i), data),
        figure.place(own, fmt::format("{} heat maps", groups.size())),
        col == 0 ? fmt::format("'0 %%' 0, '50 %%' {}, '100 %%' {}", bins / 2.0, bins)
                 : fmt::format("'' 0, '' {}, '' {}", bins / 2.0, bins),
        length_tics(lengths, figure.small_letter(), width, lowest), i);
  }
  return out + "unset multiplot\n";
}

}  // namespace kvmend
