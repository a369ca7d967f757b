#pragma once
// A store whose scores grow with the ratio, and golden files of what is printed of it.
#include <regex>

#include "experiment/table/table.h"
#include "golden.h"
#include "synthetic.h"

namespace kvmend {

/// Right with a probability that grows with the ratio; repeatable.
inline ResultRecord graded_result(const CellRecord& cell, int position) {
  ResultRecord r = synthetic_result(cell, position);
  const double p = cell.strategy == "full" ? 0.9 : cell.strategy == "no_context" ? 0.1 : 0.3 + *cell.ratio;
  std::uint32_t h = static_cast<std::uint32_t>(position) * 2654435761U;
  h ^= static_cast<std::uint32_t>(cell.label.size() * 40503U);
  h = (h ^ (h >> 15)) * 2246822519U;
  r.score = (h >> 8) % 1000 < p * 1000 ? 1 : 0;
  if (cell.strategy == "random") r.outcome.effective_ratio *= 1.1;
  return r;
}

/// Graded results of a store in which prophetkv stands for an oracle: it alone has scores, most of them on two tokens.
inline ResultRecord graded_oracle_result(const CellRecord& cell, int position) {
  ResultRecord r = graded_result(cell, position);
  if (cell.strategy == "prophetkv") r.outcome.scores = {0, 0.01F, 0, 8, 4, 0.02F, 0, 0, 0, 0};
  return r;
}

/// Synthetic results that differ in their scores.
inline SyntheticResult scored_by(const std::function<double(const CellRecord& cell, int position)>& score) {
  return [score](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    r.score = score(cell, position);
    return r;
  };
}

struct Filled {
  TempFolder folder;
  std::filesystem::path path;
  explicit Filled(const std::string& config = synthetic_config, int samples = 30,
                  const SyntheticResult& result = graded_result)
      : path(folder / "a.kvmend") {
    Store store = Store::open(path, Store::Mode::write);
    fill_store(store, config, 0, samples, result);
  }
  Table table(const TableQuery& query = {}) const { return make_table(load_table_data({path}), query); }
};

inline const TableEntry& entry(const Table& table, const std::string& value, const std::string& row,
                               const std::string& col) {
  for (const auto& block : table.blocks) {
    if (block.value != value) continue;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      for (std::size_t c = 0; c < table.cols.size(); ++c) {
        if (table.rows[r].front() == row && table.cols[c].front() == col && block.entries[r][c])
          return *block.entries[r][c];
      }
    }
  }
  FAIL("no " << value << " at " << row << ", " << col);
  std::abort();
}

inline bool warns(const Table& table, const std::string& text) {
  for (const auto& warning : table.warnings) {
    if (warning.find(text) != std::string::npos) return true;
  }
  return false;
}

/// Strategies gain options: what a golden file holds of them is only that they are there.
inline std::string without_params(std::string text) {
  text = std::regex_replace(text, std::regex("\"params\": \\{[^}]*\\}"), "\"params\": {}");
  return std::regex_replace(text, std::regex("\"\\{(\"\"[^\r]*?)\\}\""), "{}");
}

}  // namespace kvmend
