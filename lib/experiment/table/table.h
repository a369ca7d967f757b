#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eval/statistics.h"
#include "experiment/table/data.h"

namespace kvmend {

/// What `kvmend table` was asked for.
struct TableQuery {
  std::vector<std::string> rows = {"strategy"};
  std::vector<std::string> cols = {"ratio"};
  /// Names of table_values(). Empty: the default view, score with its costs.
  std::vector<std::string> values;
  /// dimension = value; several of one dimension are alternatives.
  std::vector<std::pair<std::string, std::string>> where;
  IntervalMethod interval = IntervalMethod::percentile;  ///< of means
  bool mark = true;  ///< mark the best strategies, all else being equal, and those not distinguishable (mark_best)
};

/// A figure that tables can show.
struct TableValue {
  std::string name, summary;
};
const std::vector<TableValue>& table_values();

/// How a figure stands to the best of those that differ from it in the strategy only.
enum class Mark : std::uint8_t { none, best, close, apart };

/// One figure of a table.
struct TableEntry {
  Estimate estimate;                            ///< as stored: scores 0 to 1, seconds, ratios
  double effective_ratio = 0, flops_ratio = 0;  ///< means over the same samples
  /// What the figure is over; nullopt where it averages over several.
  std::optional<std::string> strategy, task, model, chunker;  ///< task: the group, where those are a dimension
  std::optional<double> ratio;
  Value params;  ///< the strategy's; null where there are several
  Mark mark = Mark::none;
};

/// One value over all rows and columns.
struct TableBlock {
  std::string value;
  bool keep_interval = true;  ///< in text too narrow for it; other formats show it always
  std::vector<std::vector<std::optional<TableEntry>>> entries;  ///< [rows][cols]
  std::string note;                                             ///< what the marks mean; empty: there are none
};

/// What readers must know of strategies, each label with its note: ("kvshare", "approximation; …").
using StrategyNotes = std::vector<std::pair<std::string, std::string>>;
/// Adds a strategy's note, if it has one, once.
void add_note(StrategyNotes& notes, const std::string& label, const std::string& note);

struct Table {
  std::vector<std::string> row_dimensions, col_dimensions;
  std::vector<std::vector<std::string>> rows, cols;  ///< the dimensions' values
  std::vector<TableBlock> blocks;
  std::vector<std::pair<std::string, std::string>> constant;  ///< dimensions that all cells share, for the heading
  std::vector<std::string> tasks;                             ///< that were averaged, or the one there is
  StrategyNotes notes;                                        ///< of strategies among the rows
  std::vector<std::string> warnings;
};

/// Throws Error(usage) for unknown dimensions and values, with the nearest name, and for a --where that leaves nothing.
/// A dimension that varies but is in neither rows nor columns is added to the rows: only tasks are averaged, each
/// weighing the same.
Table make_table(const TableData& data, const TableQuery& query);

/// Whether a cell is what a condition `name=wanted` means: its label, its strategy's or task's registered name, one of its
/// groups, a chunker as it was written, or the same number.
bool matches(const TableCell& cell, const std::string& name, const std::string& wanted);

/// The cells that --where leaves, with results or without. Throws as filter_cells does.
std::vector<const TableCell*> matching_cells(const TableData& data, const TableQuery& query);

/// Those of them which have results. Throws Error(usage) with the nearest name, or if none are left.
std::vector<const TableCell*> filter_cells(const TableData& data, const TableQuery& query);

/// The cells that --where leaves, which runs wanted and which have no result yet: filter_cells has the others.
std::vector<const TableCell*> unstarted_cells(const TableData& data, const TableQuery& query);

/// The notes of the cells' strategies by label, each once.
StrategyNotes strategy_notes(const std::vector<const TableCell*>& cells);

/// What a reader must know before believing the figures: full near no_context, budgets that take in all that can change,
/// failed and missing samples, mixed builds, times out of a shared sweep.
std::vector<std::string> table_warnings(const TableData& data, const std::vector<const TableCell*>& cells,
                                        bool shows_times, const std::vector<const TableCell*>& unstarted = {});

/// Whether a value is a time or made from times.
bool is_time_value(const std::string& value);

}  // namespace kvmend
