#include <algorithm>

#include "experiment/table/cells.h"
#include "experiment/table/format.h"
#include "experiment/text/latex.h"

namespace kvmend {
namespace {

std::string figure(const FigureText& text) {
  if (text.value.empty()) return "";
  std::string out = latex_text(text.value);
  if (text.mark == Mark::best) out = "\\textbf{" + out + "}";
  if (text.mark == Mark::close) out = "\\underline{" + out + "}";
  if (!text.interval.empty()) out += "\\,{\\scriptsize[" + latex_text(text.interval) + "]}";
  if (!text.n.empty()) out += "\\,{\\scriptsize$n$=" + latex_text(text.n) + "}";
  return out;
}

/// A note with LaTeX's looks in the place of its signs: "* best …; ~ not distinguishable …".
std::string latex_note(const std::string& note) {
  const std::size_t best = note.find("* best"), close = note.find("~ not");
  return latex_text(note.substr(0, best)) + "\\textbf{bold}: " + latex_text(note.substr(best + 2, close - best - 2)) +
         "\\underline{underlined}: " + latex_text(note.substr(close + 2));
}

/// The columns of a block that hold anything.
std::vector<std::size_t> used_columns(const BlockFigures& block, std::size_t cols) {
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < cols; ++c) {
    if (std::any_of(block.figures.begin(), block.figures.end(), [&](const auto& row) { return !row[c].value.empty(); }))
      out.push_back(c);
  }
  return out;
}

std::string tabular(const Table& table, const TableBlock& source) {
  const BlockFigures block = block_figures(source, 1);
  const auto columns = used_columns(block, table.cols.size());
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& name : table.row_dimensions) rows[0].push_back(latex_text(name));
  for (const auto c : columns) rows[0].push_back(latex_text(heading(table.col_dimensions, table.cols[c])));
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const auto& row = block.figures[r];
    if (std::all_of(row.begin(), row.end(), [](const FigureText& f) { return f.value.empty(); })) continue;
    auto& line = rows.emplace_back();
    for (std::size_t d = 0; d < table.row_dimensions.size(); ++d)
      line.push_back(latex_text(heading(table.row_dimensions[d], table.rows[r][d])));
    for (const auto c : columns) line.push_back(figure(row[c]));
  }
  std::string out =
      latex_tabular(std::string(table.row_dimensions.size(), 'l') + std::string(columns.size(), 'r'), rows);
  if (!source.note.empty()) out += "\n\\par\\smallskip{\\footnotesize " + latex_note(source.note) + "\\par}\n";
  return out;
}

}  // namespace

std::string table_as_latex(const Table& table) {
  std::vector<std::string> remarks = table_head(table);
  for (const auto& warning : table.warnings) remarks.push_back("warning: " + warning);
  std::string body;
  for (const auto& block : table.blocks) {
    body +=
        "\n\\par\\medskip " + latex_text(block_figures(block, 1).title) + "\\par\\smallskip\n" + tabular(table, block);
  }
  for (const auto& line : table_foot(table.notes))
    body += "\n\\par\\smallskip{\\footnotesize " + latex_text(line) + "\\par}\n";
  return latex_document(remarks, body);
}

}  // namespace kvmend
