#include "experiment/text/rows.h"

#include <algorithm>

#include "experiment/text/width.h"

namespace kvmend {

std::string aligned_rows(const TextRows& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += pad_right(row[i], widths[i] + 2);
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string piped_rows(const TextRows& rows, const std::string& columns) {
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (const auto& cell : rows[r]) out += " " + cell + " |";
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (const char column : columns) out += column == 'r' ? " --: |" : " :-- |";
    out += "\n";
  }
  return out;
}

}  // namespace kvmend
