#include <algorithm>

#include "core/utf8.h"
#include "experiment/table_cells.h"
#include "experiment/table_format.h"

namespace kvmend {
namespace {

/// A block's columns: those that hold anything, and how wide they are.
struct Layout {
  std::vector<std::size_t> row_widths;  ///< a row dimension each
  std::vector<std::size_t> cols;        ///< of the table
  std::vector<std::size_t> col_widths;  ///< [cols.size()]
  std::size_t head() const {
    std::size_t sum = 0;
    for (const auto w : row_widths) sum += w + 2;
    return sum;
  }
  std::size_t total() const {
    std::size_t sum = head();
    for (const auto w : col_widths) sum += w + 3;
    return sum;
  }
};

Layout lay_out(const Table& table, const BlockText& block) {
  Layout layout;
  for (std::size_t d = 0; d < table.row_dimensions.size(); ++d) {
    std::size_t width = display_width(table.row_dimensions[d]);
    for (const auto& row : table.rows) width = std::max(width, display_width(heading(table.row_dimensions[d], row[d])));
    layout.row_widths.push_back(width);
  }
  for (std::size_t c = 0; c < table.cols.size(); ++c) {
    std::size_t width = 0;
    for (const auto& row : block.cells) width = std::max(width, display_width(row[c]));
    if (width == 0) continue;
    layout.cols.push_back(c);
    layout.col_widths.push_back(std::max(width, display_width(heading(table.col_dimensions, table.cols[c]))));
  }
  return layout;
}

std::string line_of(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += "─";
  return out;
}

std::string trimmed(std::string line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

/// The layout's columns [first, last) with their headings.
void write_columns(std::string& out, const Table& table, const BlockText& block, const Layout& layout,
                   std::size_t first, std::size_t last) {
  std::string line;
  for (std::size_t d = 0; d < layout.row_widths.size(); ++d) {
    line += pad_right(table.row_dimensions[d], layout.row_widths[d] + 2);
  }
  for (std::size_t c = first; c < last; ++c) {
    line += "│ " + pad_right(heading(table.col_dimensions, table.cols[layout.cols[c]]), layout.col_widths[c] + 1);
  }
  out += trimmed(line);
  line = line_of(layout.head());
  for (std::size_t c = first; c < last; ++c) line += "┼" + line_of(layout.col_widths[c] + 2);
  out += line + "\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    bool blank = true;
    line.clear();
    for (std::size_t d = 0; d < layout.row_widths.size(); ++d) {
      line += pad_right(heading(table.row_dimensions[d], table.rows[r][d]), layout.row_widths[d] + 2);
    }
    for (std::size_t c = first; c < last; ++c) {
      const std::string& cell = block.cells[r][layout.cols[c]];
      blank = blank && cell.empty();
      line += "│ " + pad_right(cell, layout.col_widths[c] + 1);
    }
    if (!blank) out += trimmed(line);
  }
}

/// Lines of at most `width` characters, those after the first indented.
std::string wrapped(const std::string& text, std::size_t width) {
  std::string out, line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && display_width(line) + 1 + display_width(word) > width) {
      out += line + "\n";
      line = "  " + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
    begin = end + 1;
  }
  return out + line + "\n";
}

void write_block(std::string& out, const Table& table, const TableBlock& figures, std::size_t width) {
  struct Look {
    int digits;
    bool intervals;
  };
  std::vector<Look> looks = {{1, true}, {0, true}};  // the first that fits, or the last
  if (!figures.keep_interval) looks.insert(looks.end(), {{1, false}, {0, false}});
  BlockText block;
  Layout layout;
  for (const Look& look : looks) {
    block = block_as_text(figures, look.digits, look.intervals);
    layout = lay_out(table, block);
    if (layout.total() <= width) break;
  }
  out += block.title + "\n";
  for (std::size_t first = 0; first < layout.cols.size();) {
    std::size_t last = first, used = layout.head();
    while (last < layout.cols.size() && (last == first || used + layout.col_widths[last] + 3 <= width)) {
      used += layout.col_widths[last++] + 3;
    }
    write_columns(out, table, block, layout, first, last);
    if (last < layout.cols.size()) out += "\n";
    first = last;
  }
  if (!block.note.empty()) out += wrapped(block.note, width);
}

}  // namespace

std::size_t display_width(std::string_view text) { return utf8::count(text); }

std::string pad_right(std::string text, std::size_t width) {
  const std::size_t has = display_width(text);
  if (has < width) text.append(width - has, ' ');
  return text;
}

std::string table_as_text(const Table& table, int width) {
  std::string out;
  for (const auto& line : table_head(table)) out += line + "\n";
  for (const auto& block : table.blocks) {
    if (!out.empty()) out += "\n";
    write_block(out, table, block, static_cast<std::size_t>(std::max(width, 40)));
  }
  const auto foot = table_foot(table.notes);
  if (!foot.empty()) out += "\n";
  for (const auto& line : foot) out += wrapped(line, static_cast<std::size_t>(std::max(width, 40)));
  if (!table.warnings.empty()) out += "\n";
  for (const auto& warning : table.warnings) out += "warning: " + warning + "\n";
  return out;
}

}  // namespace kvmend
