// Overlap of the strategies' selections, a matrix.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/ranges.h>

#include "core/error.h"
#include "experiment/plot/figure_names.h"
#include "experiment/plot/gnuplot.h"
#include "experiment/plot/heat_map.h"
#include "experiment/plot/kinds.h"
#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;

/// Selections can only be compared on the same prompts, at one ratio.
void require_one_ratio(const Cells& cells) {
  std::set<std::string> ratios;
  for (const auto* cell : cells) {
    if (cell->record.ratio) ratios.insert(format_number(*cell->record.ratio));
  }
  if (ratios.size() > 1)
    fail(ErrorKind::usage, "overlap compares selections at one ratio; choose it with --where ratio={}",
         *ratios.begin());
}

void require_one_of_each(const Cells& cells, const Table& table) {
  for (std::size_t d = 1; d < table.row_dimensions.size(); ++d) {
    const std::string& name = table.row_dimensions[d];
    std::vector<std::string> values;
    for (const auto* cell : cells) {
      std::string value = dimension(*cell, name);
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
    }
    if (values.size() < 2) continue;  // what varies is among the references
    fail(ErrorKind::usage, "overlap compares selections of one {}; choose with --where '{}={}' (there are: {})", name,
         name, values.front(), fmt::join(values, "; "));
  }
}

struct Overlaps {
  std::map<std::pair<std::size_t, std::size_t>, FieldMean> means;  ///< by the strategies' places in the list
  std::size_t samples = 0;
};

Overlaps read(const PlotInput& input, const Cells& cells, const std::vector<std::string>& strategies) {
  std::map<std::string, std::string> strategy_of_key;
  for (const auto* cell : cells) {
    if (cell->record.ratio) strategy_of_key[cell->record.key] = cell->strategy;
  }
  std::map<std::string, std::map<std::string, std::vector<int>>> chosen;  // by sample, by strategy
  for (const auto& path : input.stores) {
    Store store = Store::open(path, Store::Mode::read);
    Statement row = store.database().prepare(
        "SELECT c.key, s.prompts || ':' || s.position, x.n, x.bitmap FROM selections x JOIN results r USING (result) "
        "JOIN cells c USING (cell) JOIN samples s USING (sample) WHERE x.kind IN ('original', 'selected') AND x.layer "
        "= "
        "-1 AND x.chosen > 0 ORDER BY x.result, x.kind");  // of reordered chunks the indices in the given order count
    while (row.step()) {
      const auto found = strategy_of_key.find(row.text(0));
      if (found != strategy_of_key.end())
        chosen[row.text(1)].emplace(found->second, unpack_indices(row.blob(3), static_cast<int>(row.integer(2))));
    }
  }
  Overlaps out;
  out.samples = chosen.size();
  for (const auto& [sample, sets] : chosen) {
    for (std::size_t a = 0; a < strategies.size(); ++a) {
      for (std::size_t b = 0; b < strategies.size(); ++b) {
        const auto x = sets.find(strategies[a]), y = sets.find(strategies[b]);
        if (x == sets.end() || y == sets.end()) continue;
        std::vector<int> both;
        std::set_intersection(x->second.begin(), x->second.end(), y->second.begin(), y->second.end(),
                              std::back_inserter(both));
        out.means[{a, b}].add(static_cast<double>(both.size()) /
                              static_cast<double>(x->second.size() + y->second.size() - both.size()));
      }
    }
  }
  return out;
}

}  // namespace

std::string plot_overlap(const PlotInput& input) {
  const TableQuery query{{"strategy"}, {"ratio"}, {"n"}, input.query.where};
  Cells cells = filter_cells(input.data, query);
  require_one_ratio(cells);
  std::erase_if(cells, [](const TableCell* cell) { return !cell->record.ratio; });
  const Table table = make_table(input.data, query);
  require_one_of_each(cells, table);
  std::vector<std::string> strategies;
  for (const auto* cell : cells) {
    if (std::find(strategies.begin(), strategies.end(), cell->strategy) == strategies.end())
      strategies.push_back(cell->strategy);
  }
  const Overlaps overlaps = read(input, cells, strategies);
  if (strategies.size() < 2 || overlaps.means.empty())
    fail(ErrorKind::usage, "there is nothing to plot: overlap needs the selections of two strategies at one ratio");

  const Figure& figure = input.figure;
  const FigureNames names(cells);
  const double count = static_cast<double>(strategies.size()), letter = figure.small_letter();
  std::size_t longest = 0;
  for (const auto& strategy : strategies) longest = std::max(longest, display_width(names[strategy]));
  const double label_room = std::min(static_cast<double>(longest) * letter, 0.36 * figure.width());
  Frame frame{label_room + 4 * letter, 8 * letter + 0.1, 0, 0};
  std::string out = figure.caption(
      fmt::format("Jaccard overlap of selections at {}, % · {}",
                  heading("ratio", format_number(*cells.front()->record.ratio)), plot_caption(table, {"n"})),
      frame);
  const double width = figure.width() - frame.left - frame.right, field = width / count;
  const bool upright = static_cast<double>(longest + 1) * letter > field;  // names beneath, for they do not fit across
  const double names_room = upright ? std::min(label_room, 0.3 * figure.height()) : figure.small_line();
  frame.bottom = names_room + 1.1 * figure.small_line();
  out += figure.place(frame, fmt::format("{} strategies", strategies.size()));
  const double height = figure.height() - frame.top - frame.bottom;

  std::string data, diagonal, rows, columns;
  for (std::size_t i = 0; i < strategies.size(); ++i) {
    const std::string& name = names[strategies[i]];
    const std::string row = shorten(name, static_cast<std::size_t>(label_room / letter + 0.01));
    const std::string column = shorten(name, static_cast<std::size_t>((upright ? names_room : field) / letter + 0.01));
    rows += fmt::format("{}{} {}", i ? ", " : "", gnuplot::tic_label(row), i);
    columns += fmt::format("{}'' {}", i ? ", " : "", i);
    const double middle = frame.left + (static_cast<double>(i) + 0.5) * field;
    out += fmt::format("set label {} at {} {} font small\n", gnuplot::quote(column),
                       figure.at(middle, frame.bottom - (upright ? 0.5 : 0.9) * figure.small_line()),
                       upright ? "right rotate by 90" : "center");
    diagonal += fmt::format("{} {}\n", i, i);
  }
  // A selection's overlap with itself is no news: in the scale, it would leave one colour to all the others.
  double top = 5;
  for (const auto& [at, mean] : overlaps.means) {
    if (at.first != at.second) top = std::max(top, std::ceil(mean.percent() / 5 - 1e-9) * 5);
  }
  const bool texts = field >= 3.6 * letter && height / count >= figure.small_line();
  for (const auto& [at, mean] : overlaps.means) {
    if (at.first == at.second) continue;
    const double percent = mean.percent();
    data += fmt::format("{} {} {:.6g}\n", at.first, at.second, percent);
    if (texts) out += heat_label(percent, at.first, at.second, top);
  }
  return out +
         fmt::format(
             "{}set cbrange [0:{:.6g}]\nset cbtics {:.6g}\n{}{}unset grid\nset border 15\nset colorbox user origin {} "
             "size "
             "{}\nset xtics ({}) font small\nset ytics ({}) font small\nset xrange [-0.5:{}]\nset yrange "
             "[{}:-0.5]\nplot $d using 1:2:(0.5):(0.5) with boxxyerror fs solid noborder lc rgb '#d8d8d8' notitle, "
             "\\\n     $m using 1:2:(0.5):(0.5):3 with boxxyerror fs solid noborder lc palette notitle\n",
             heat_palette, top, top / 5, gnuplot::block("m", data), gnuplot::block("d", diagonal),
             figure.at(frame.left + width + 0.12, frame.bottom + 0.15 * height), figure.at(0.1, 0.7 * height), columns,
             rows, count - 0.5, count - 0.5);
}

}  // namespace kvmend
