#include "experiment/table/format.h"

#include <cmath>
#include <cstdlib>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/table/cells.h"
#include "experiment/text/csv.h"

namespace kvmend {
namespace {

/// A figure's fields in the order that CSV and JSON print them.
struct Record {
  std::vector<std::pair<const char*, Value>> fields;
};

/// To 12 digits: a mean's last bits say in which order it was summed.
Value number_or_null(double value) {
  if (!std::isfinite(value)) return {};
  return std::strtod(fmt::format("{:.12g}", value).c_str(), nullptr);
}

template <class T>
Value value_or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value();
}

Record record_of(const TableBlock& block, const TableEntry& entry) {
  const auto& interval = entry.estimate.interval;
  Value params = entry.params;
  params.erase("strategy");
  return {{{"strategy", value_or_null(entry.strategy)},
           {"params", params},
           {"ratio", value_or_null(entry.ratio)},
           {"task", value_or_null(entry.task)},
           {"model", value_or_null(entry.model)},
           {"chunker", value_or_null(entry.chunker)},
           {"value", block.value},
           {"n", entry.estimate.n},
           {"mean", number_or_null(entry.estimate.value)},
           {"lo", interval ? number_or_null(interval->lo) : Value()},
           {"hi", interval ? number_or_null(interval->hi) : Value()},
           {"effective_ratio", number_or_null(entry.effective_ratio)},
           {"flops_ratio", number_or_null(entry.flops_ratio)},
           // from the best strategy, all else being equal; null where it is that, or was not compared
           {"distinguishable", entry.mark == Mark::apart   ? Value(true)
                               : entry.mark == Mark::close ? Value(false)
                                                           : Value()}}};
}

template <class F>
void for_each_record(const Table& table, F&& visit) {
  for (const auto& block : table.blocks) {
    for (const auto& row : block.entries) {
      for (const auto& entry : row) {
        if (entry) visit(record_of(block, *entry));
      }
    }
  }
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  const std::size_t begin = out.find_first_not_of(' ');
  return begin == std::string::npos ? "" : out.substr(begin);
}

/// Bold: the best of those compared; italic: not distinguishable from it.
std::string markdown_figure(const FigureText& figure) {
  if (figure.value.empty()) return "";
  const char* around = figure.mark == Mark::best ? "**" : figure.mark == Mark::close ? "*" : "";
  std::string out = around + figure.value + around;
  if (!figure.interval.empty()) out += " [" + figure.interval + "]";
  if (!figure.n.empty()) out += " n=" + figure.n;
  return markdown_cell(out);
}

/// The text's note, its signs replaced by Markdown's.
std::string markdown_note(std::string note) {
  note.replace(note.find("* best"), 6, "**bold**: best");
  note.replace(note.find("~ not"), 5, "*italic*: not");
  return note;
}

}  // namespace

std::string table_as_markdown(const Table& table) {
  std::string out;
  for (const auto& line : table_head(table)) out += line + "  \n";
  for (const auto& figures : table.blocks) {
    const BlockFigures block = block_figures(figures, 1);
    out += "\n**" + block.title + "**\n\n|";
    for (const auto& name : table.row_dimensions) out += fmt::format(" {} |", markdown_cell(name));
    for (const auto& col : table.cols) out += fmt::format(" {} |", markdown_cell(heading(table.col_dimensions, col)));
    out += "\n|";
    for (std::size_t d = 0; d < table.row_dimensions.size(); ++d) out += " :-- |";
    for (std::size_t c = 0; c < table.cols.size(); ++c) out += " --: |";
    out += "\n";
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      std::string line = "|", figures_of_row;
      for (std::size_t d = 0; d < table.row_dimensions.size(); ++d) {
        line += fmt::format(" {} |", markdown_cell(heading(table.row_dimensions[d], table.rows[r][d])));
      }
      for (const auto& figure : block.figures[r]) {
        figures_of_row += figure.value;
        line += fmt::format(" {} |", markdown_figure(figure));
      }
      if (!figures_of_row.empty()) out += line + "\n";
    }
    if (!figures.note.empty()) out += "\n" + markdown_note(figures.note) + "\n";
  }
  for (const auto& line : table_foot(table.notes)) out += "\n" + markdown_cell(line) + "\n";
  if (!table.warnings.empty()) out += "\n";
  for (const auto& warning : table.warnings) out += "- warning: " + warning + "\n";
  return out;
}

std::string table_as_csv(const Table& table) {
  std::string out =
      "strategy,params,ratio,task,model,chunker,value,n,mean,lo,hi,effective_ratio,flops_ratio,distinguishable\r\n";
  for_each_record(table, [&](const Record& record) {
    std::string line;
    for (const auto& [name, value] : record.fields) line += csv_field(value) + ",";
    line.pop_back();
    out += line + "\r\n";
  });
  return out;
}

std::string table_as_json(const Table& table) {
  std::string out;
  for_each_record(table, [&](const Record& record) {
    std::string object;
    for (const auto& [name, value] : record.fields) {
      object += fmt::format("{}\"{}\": {}", object.empty() ? "" : ", ", name, value.canonical());
    }
    out += fmt::format("{}{{{}}}", out.empty() ? "[\n  " : ",\n  ", object);
  });
  return out.empty() ? "[]\n" : out + "\n]\n";
}

std::string format_table(const Table& table, std::string_view format, int width) {
  if (format == "text") return table_as_text(table, width);
  if (format == "md") return table_as_markdown(table);
  if (format == "csv") return table_as_csv(table);
  if (format == "latex") return table_as_latex(table);
  if (format == "json") return table_as_json(table);
  fail(ErrorKind::usage, "--format: unknown format '{}'{}", format,
       did_you_mean(format, {"text", "md", "csv", "latex", "json"}));
}

}  // namespace kvmend
