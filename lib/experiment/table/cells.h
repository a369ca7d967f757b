#pragma once
#include <string>
#include <vector>

#include "experiment/table/table.h"

namespace kvmend {

/// A block's figures as text for people: [rows][cols], aligned within a column where monospaced.
struct BlockText {
  std::string title;
  std::vector<std::vector<std::string>> cells;
  std::string note;  ///< below the table
};

/// A figure's parts, for formats that set them apart.
struct FigureText {
  std::string value, interval, n;  ///< "62.5", "25.0, 88.0" ("–": it has none), "8"; empty where not shown
  Mark mark = Mark::none;
};
struct BlockFigures {
  std::string title;
  bool marked = false;
  std::vector<std::vector<FigureText>> figures;  ///< [rows][cols]
};
/// `digits`: decimals of scores and percentages (1 where there is room, 0 where there is not).
BlockFigures block_figures(const TableBlock& block, int digits, bool intervals = true);
BlockText block_as_text(const TableBlock& block, int digits, bool intervals = true);

/// A dimension's value as a heading: ratios in per cent, "–" for none.
std::string heading(const std::string& dimension, const std::string& value);
/// All of a key's headings: "prophetkv, 20 %".
std::string heading(const std::vector<std::string>& dimensions, const std::vector<std::string>& key);

/// The lines below all tables: "kvshare: approximation; no formula …", labels with the same note in one.
std::vector<std::string> table_foot(const StrategyNotes& notes);

/// A strategy's name where there is no room for lines below: "kvshare (approximation)".
std::string legend_label(const Table& table, const std::string& strategy);

/// The lines above a table: what its cells share, and what was averaged.
std::vector<std::string> table_head(const Table& table);

}  // namespace kvmend
