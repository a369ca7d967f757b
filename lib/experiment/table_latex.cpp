#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/utf8.h"
#include "experiment/latex.h"
#include "experiment/table_cells.h"
#include "experiment/table_format.h"

namespace kvmend {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// A character beyond ASCII as every LaTeX since 2018 can set it in its default fonts.
std::string beyond_ascii(std::string_view character) {
  static const std::map<std::string_view, const char*> spelled = {
      {"×", "$\\times$"},  {"–", "--"},         {"—", "---"},       {"−", "$-$"},       {"·", "$\\cdot$"},
      {"≥", "$\\geq$"},    {"≤", "$\\leq$"},    {"⌈", "$\\lceil$"}, {"⌉", "$\\rceil$"}, {"⌊", "$\\lfloor$"},
      {"⌋", "$\\rfloor$"}, {"…", "\\dots{}"},   {"√", "$\\surd$"},  {"α", "$\\alpha$"}, {"Δ", "$\\Delta$"},
      {"→", "$\\to$"},     {"≈", "$\\approx$"}, {"±", "$\\pm$"},    {"’", "'"},         {"‘", "`"}};
  const auto found = spelled.find(character);
  if (found != spelled.end()) return found->second;
  if (character.starts_with('\xC3')) return std::string(character);  // À to ÿ
  return fmt::format("[U+{:04X}]", static_cast<std::uint32_t>(utf8::decode_valid(character, 0).code_point));
}

std::string latex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8::decode(text, i).length;
    if (size > 1) {
      out += beyond_ascii(std::string_view(text).substr(i, size));
      i += size;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '\\': out += "$\\backslash$"; break;
      case '~': out += "$\\sim$"; break;
      case '^': out += "\\^{}"; break;
      case '<': out += "$<$"; break;
      case '>': out += "$>$"; break;
      case '|': out += "$|$"; break;
      case '"': out += "''"; break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}': out += '\\'; [[fallthrough]];
      default: out += c;
    }
  }
  replace_all(out, " \\%", "\\,\\%");
  replace_all(out, ",\\,\\%", ", \\%");
  return out;
}

std::string figure(const FigureText& text) {
  if (text.value.empty()) return "";
  std::string out = latex(text.value);
  if (text.mark == Mark::best) out = "\\textbf{" + out + "}";
  if (text.mark == Mark::close) out = "\\underline{" + out + "}";
  if (!text.interval.empty()) out += "\\,{\\scriptsize[" + latex(text.interval) + "]}";
  if (!text.n.empty()) out += "\\,{\\scriptsize$n$=" + latex(text.n) + "}";
  return out;
}

std::string latex_note(std::string note) {
  note.replace(note.find("* best"), 6, "BOLD: best");
  note.replace(note.find("~ not"), 5, "UNDERLINED: not");
  note = latex(note);
  replace_all(note, "BOLD", "\\textbf{bold}");
  replace_all(note, "UNDERLINED", "\\underline{underlined}");
  return note;
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
  for (const auto& name : table.row_dimensions) rows[0].push_back(latex(name));
  for (const auto c : columns) rows[0].push_back(latex(heading(table.col_dimensions, table.cols[c])));
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const auto& row = block.figures[r];
    if (std::all_of(row.begin(), row.end(), [](const FigureText& f) { return f.value.empty(); })) continue;
    auto& line = rows.emplace_back();
    for (std::size_t d = 0; d < table.row_dimensions.size(); ++d)
      line.push_back(latex(heading(table.row_dimensions[d], table.rows[r][d])));
    for (const auto c : columns) line.push_back(figure(row[c]));
  }
  std::string out =
      latex_tabular(std::string(table.row_dimensions.size(), 'l') + std::string(columns.size(), 'r'), rows);
  if (!source.note.empty()) out += "\n\\par\\smallskip{\\footnotesize " + latex_note(source.note) + "\\par}\n";
  return out;
}

}  // namespace

std::string latex_text(const std::string& text) { return latex(text); }

std::string latex_tabular(const std::string& columns, const std::vector<std::vector<std::string>>& rows) {
  std::string out = fmt::format("\\begin{{tabular}}{{@{{}}{}@{{}}}}\n\\toprule\n", columns);
  for (std::size_t r = 0; r < rows.size(); ++r)
    out += fmt::format("{} \\\\\n{}", fmt::join(rows[r], " & "), r == 0 ? "\\midrule\n" : "");
  return out + "\\bottomrule\n\\end{tabular}\n";
}

std::string latex_document(const std::vector<std::string>& remarks, const std::string& body) {
  // A document of its own, unless one has begun: then \input takes only the tables.
  std::string out =
      "\\expandafter\\ifx\\csname @classoptionslist\\endcsname\\relax\n"
      "  \\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage{booktabs}\n"
      "  \\usepackage[margin=1cm]{geometry}\\setlength\\parindent{0pt}\\begin{document}\n"
      "  \\def\\kvmendend{\\end{document}}\n"
      "\\else \\let\\kvmendend\\relax \\fi\n";
  for (const auto& line : remarks) out += "% " + line + "\n";
  return out + body + "\\kvmendend\n";
}

std::string table_as_latex(const Table& table) {
  std::vector<std::string> remarks = table_head(table);
  for (const auto& warning : table.warnings) remarks.push_back("warning: " + warning);
  std::string body;
  for (const auto& block : table.blocks) {
    body += "\n\\par\\medskip " + latex(block_figures(block, 1).title) + "\\par\\smallskip\n" + tabular(table, block);
  }
  for (const auto& line : table_foot(table.notes))
    body += "\n\\par\\smallskip{\\footnotesize " + latex(line) + "\\par}\n";
  return latex_document(remarks, body);
}

}  // namespace kvmend
