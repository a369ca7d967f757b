#include "experiment/table_cells.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "experiment/table_format.h"

namespace kvmend {
namespace {

enum class Unit : std::uint8_t { percent, seconds, count, scientific };

struct Look {
  const char* value;
  Unit unit;
  const char* title;
};

constexpr Look looks[] = {
    {"score", Unit::percent, "score × 100"},
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
    {"layer_tokens", Unit::count, "layer-tokens"},
    {"bytes", Unit::scientific, "bytes read and written"},
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

BlockText block_as_text(const TableBlock& block, int digits) {
  const Look& look = look_of(block.value);
  const bool interval = block.show_interval && block.value != "n";
  const int n = common_n(block);
  BlockText out;
  out.title = look.title;
  if (interval) out.title += " [95 % interval]";
  if (n > 0 && block.value != "n") out.title += fmt::format(", n = {}", n);
  std::vector<std::vector<std::string>> means;
  std::size_t widest = 0;
  for (const auto& row : block.entries) {
    auto& line = means.emplace_back();
    for (const auto& entry : row) {
      line.push_back(entry ? show(entry->estimate.value, look.unit, digits) : "");
      widest = std::max(widest, line.back().size());
    }
  }
  for (std::size_t r = 0; r < block.entries.size(); ++r) {
    auto& line = out.cells.emplace_back();
    for (std::size_t c = 0; c < block.entries[r].size(); ++c) {
      const auto& entry = block.entries[r][c];
      line.emplace_back();
      if (!entry) continue;
      line.back() = std::string(widest - means[r][c].size(), ' ') + means[r][c];
      if (interval && entry->estimate.interval) {
        line.back() += fmt::format(" [{}, {}]", show(entry->estimate.interval->lo, look.unit, digits),
                                   show(entry->estimate.interval->hi, look.unit, digits));
      } else if (interval) {
        line.back() += " [–]";
      }
      if (n == 0 && block.value != "n") line.back() += fmt::format(" n={}", entry->estimate.n);
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

std::vector<std::string> table_head(const Table& table) {
  std::vector<std::string> lines(1);
  for (const auto& [name, value] : table.constant) {
    if (!value.empty()) lines[0] += (lines[0].empty() ? "" : " · ") + value;
  }
  std::string tasks;
  for (const auto& task : table.tasks) tasks += (tasks.empty() ? "" : ", ") + task;
  const auto uses_task = [](const auto& dimensions) {
    return std::find(dimensions.begin(), dimensions.end(), "task") != dimensions.end();
  };
  if (table.tasks.size() == 1) {
    lines.push_back(tasks);
  } else if (!uses_task(table.row_dimensions) && !uses_task(table.col_dimensions)) {
    lines.push_back(fmt::format("mean of {} tasks: {}", table.tasks.size(), tasks));
  }
  if (lines[0].empty()) lines.erase(lines.begin());
  return lines;
}

}  // namespace kvmend
