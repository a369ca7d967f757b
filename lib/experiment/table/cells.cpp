#include "experiment/table/cells.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiment/store/run_facts.h"

namespace kvmend {
namespace {

enum class Unit : std::uint8_t { percent, seconds, count, scientific, mebibytes };

struct Look {
  const char* value;
  Unit unit;
  const char* title;
};

constexpr Look looks[] = {
    {"score", Unit::percent, "score × 100"},
    {"pgr", Unit::percent, "share of full prefill's gain over no context, %"},
    {"score_solved", Unit::percent, "score × 100 where full prefill scores 50 or more"},
    {"overlap", Unit::percent, "Jaccard overlap with the oracle, %"},
    {"recall", Unit::percent, "the oracle's tokens selected, %"},
    {"crowding_out", Unit::percent, "selection outside 90 % of the oracle's score, %"},
    {"evidence", Unit::percent, "evidence tokens selected, %"},
    {"select_ratio", Unit::percent, "selecting, % of full prefill's TTFT, median"},
    {"effective_ratio", Unit::percent, "effective ratio, %"},
    {"flops_ratio", Unit::percent, "FLOPs, % of full prefill"},
    {"ttft_ratio", Unit::percent, "TTFT, % of full prefill, median"},
    {"ttft", Unit::seconds, "TTFT in ms, median"},
    {"load", Unit::seconds, "loading in ms, median"},
    {"place", Unit::seconds, "placing in ms, median"},
    {"select", Unit::seconds, "selecting in ms, median"},
    {"recompute", Unit::seconds, "recomputing in ms, median"},
    {"query", Unit::seconds, "query prefill in ms, median"},
    {"first_token", Unit::seconds, "first token in ms, median"},
    {"decode", Unit::seconds, "decoding in ms, median"},
    {"flops", Unit::scientific, "FLOPs to the first token"},
    {"decode_flops", Unit::scientific, "FLOPs of recomputing while decoding"},
    {"layer_tokens", Unit::count, "layer-tokens"},
    {"bytes", Unit::scientific, "bytes read and written"},
    {"exact_selected", Unit::percent, "context rows selected that were exact already, %"},
    {"kept", Unit::percent, "context rows kept in the cache, %"},
    {"memory_saved", Unit::mebibytes, "KV cache saved by dropped rows, MiB a prompt"},
    {"n", Unit::count, "samples"},
};

const Look& look_of(const std::string& value) {
  const auto found = std::find_if(std::begin(looks), std::end(looks), [&](const Look& l) { return value == l.value; });
  require(found != std::end(looks), "no look for '{}'", value);
  return *found;
}

/// "-0.0" is a rounding error's sign.
std::string without_minus_zero(std::string text) {
  if (text.starts_with('-') && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string show(double value, Unit unit, int digits) {
  switch (unit) {
    case Unit::percent: return without_minus_zero(fmt::format("{:.{}f}", 100 * value, digits));
    case Unit::seconds: return fmt::format("{:.{}f}", 1000 * value, value < 0.01 ? 2 : value < 0.1 ? 1 : 0);
    case Unit::count: return fmt::format("{:.0f}", value);
    case Unit::scientific: return fmt::format("{:.2e}", value);
    case Unit::mebibytes: {
      const double mib = value / (1 << 20);
      return fmt::format("{:.{}f}", mib, mib >= 100 ? 0 : mib >= 1 || mib == 0 ? 1 : 3);
    }
  }
  return "";
}

/// The number of samples if all figures have the same, else 0.
int common_n(const TableBlock& block) {
  std::set<int> counts;
  for (const auto& row : block.entries) {
    for (const auto& entry : row) {
      if (entry) counts.insert(entry->estimate.n);
    }
  }
  return counts.size() == 1 ? *counts.begin() : 0;
}

}  // namespace

BlockFigures block_figures(const TableBlock& block, int digits, bool intervals) {
  const Look& look = look_of(block.value);
  const bool interval = intervals && block.value != "n";
  const int n = common_n(block);
  BlockFigures out;
  out.title = look.title;
  if (interval) out.title += " [95 % interval]";
  if (n > 0 && block.value != "n") out.title += fmt::format(", n = {}", n);
  out.marked = !block.note.empty();
  for (const auto& row : block.entries) {
    auto& line = out.figures.emplace_back();
    for (const auto& entry : row) {
      FigureText& figure = line.emplace_back();
      if (!entry) continue;
      figure.value = show(entry->estimate.value, look.unit, digits);
      figure.mark = entry->mark;
      if (n == 0 && block.value != "n") figure.n = std::to_string(entry->estimate.n);
      if (!interval) continue;
      const auto& range = entry->estimate.interval;
      figure.interval = range ? show(range->lo, look.unit, digits) + ", " + show(range->hi, look.unit, digits) : "–";
    }
  }
  return out;
}

BlockText block_as_text(const TableBlock& block, int digits, bool intervals) {
  const BlockFigures figures = block_figures(block, digits, intervals);
  BlockText out;
  out.title = figures.title;
  out.note = block.note;
  std::size_t widest = 0;
  for (const auto& row : figures.figures) {
    for (const auto& figure : row) widest = std::max(widest, figure.value.size());
  }
  const std::size_t cols = figures.figures.empty() ? 0 : figures.figures.front().size();
  std::vector<char> marked(cols, 0);  // columns that keep room for a mark
  for (const auto& row : figures.figures) {
    for (std::size_t c = 0; c < cols; ++c) marked[c] = marked[c] || row[c].mark != Mark::none;
  }
  for (const auto& row : figures.figures) {
    auto& line = out.cells.emplace_back();
    for (std::size_t c = 0; c < cols; ++c) {
      const FigureText& figure = row[c];
      std::string& cell = line.emplace_back();
      if (figure.value.empty()) continue;
      cell = std::string(widest - figure.value.size(), ' ') + figure.value;
      if (marked[c]) cell += figure.mark == Mark::best ? "*" : figure.mark == Mark::close ? "~" : " ";
      if (!figure.interval.empty()) cell += " [" + figure.interval + "]";
      if (!figure.n.empty()) cell += " n=" + figure.n;
    }
  }
  return out;
}

std::string heading(const std::string& dimension, const std::string& value) {
  if (value.empty()) return "–";
  if (dimension != "ratio") return value;
  const double ratio = std::strtod(value.c_str(), nullptr);
  return format_number(std::round(ratio * 1e8) / 1e6) + " %";
}

std::string heading(const std::vector<std::string>& dimensions, const std::vector<std::string>& key) {
  std::string out;
  for (std::size_t d = 0; d < key.size(); ++d) out += (d ? ", " : "") + heading(dimensions[d], key[d]);
  return out;
}

std::vector<std::string> table_foot(const StrategyNotes& notes) {
  std::vector<std::pair<std::string, std::string>> by_note;  // note, labels
  for (const auto& [label, note] : notes) {
    const auto same = std::find_if(by_note.begin(), by_note.end(), [&](const auto& n) { return n.first == note; });
    if (same == by_note.end())
      by_note.emplace_back(note, label);
    else
      same->second += ", " + label;
  }
  std::vector<std::string> lines;
  for (const auto& [note, labels] : by_note) lines.push_back(labels + ": " + note);
  return lines;
}

std::string legend_label(const Table& table, const std::string& strategy) {
  const auto found =
      std::find_if(table.notes.begin(), table.notes.end(), [&](const auto& n) { return n.first == strategy; });
  return found == table.notes.end() ? strategy : with_note(strategy, found->second);
}

std::vector<std::string> table_head(const Table& table) {
  std::vector<std::string> lines(1);
  for (const auto& [name, value] : table.constant) {
    if (!value.empty()) lines[0] += (lines[0].empty() ? "" : " · ") + value;
  }
  std::string tasks;
  for (const auto& task : table.tasks) tasks += (tasks.empty() ? "" : ", ") + task;
  const auto uses = [&](const char* name) {
    return std::any_of(table.row_dimensions.begin(), table.row_dimensions.end(), [&](auto& d) { return d == name; }) ||
           std::any_of(table.col_dimensions.begin(), table.col_dimensions.end(), [&](auto& d) { return d == name; });
  };
  if (table.tasks.size() == 1) {
    lines.push_back(tasks);
  } else if (uses("group")) {
    lines.push_back(fmt::format("means of each group's tasks, of {}: {}", table.tasks.size(), tasks));
  } else if (!uses("task")) {
    lines.push_back(fmt::format("mean of {} tasks: {}", table.tasks.size(), tasks));
  }
  if (lines[0].empty()) lines.erase(lines.begin());
  return lines;
}

}  // namespace kvmend
