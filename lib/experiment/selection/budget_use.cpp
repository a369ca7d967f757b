#include "experiment/selection/budget_use.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiment/selection/token_paint.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

int context_of(std::span<const Unit> units) { return units.empty() ? 0 : units.back().end; }

bool in_ranges(const TokenRanges& ranges, int token) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.first <= token && token < r.second; });
}

/// Bars of units [begin, end).
std::string bars(const BudgetUse& use, std::span<const Unit> units, std::size_t begin, std::size_t end) {
  std::string out;
  for (std::size_t u = begin; u < std::min(end, units.size()); ++u) {
    out += bar_of(static_cast<double>(use.in_unit[u]) / units[u].size());
  }
  return out;
}

}  // namespace

BudgetUse budget_use(const std::vector<int>& selected, std::span<const Unit> units, const TokenRanges& evidence) {
  BudgetUse out;
  out.selected = static_cast<int>(selected.size());
  for (const Unit& unit : units) {
    const auto begin = std::lower_bound(selected.begin(), selected.end(), unit.begin);
    out.in_unit.push_back(static_cast<int>(std::lower_bound(begin, selected.end(), unit.end) - begin));
  }
  const std::int64_t n = context_of(units);
  for (const int token : selected) {
    ++out.in_third.at(static_cast<std::size_t>(3 * std::int64_t{token} / n));
    out.evidence += in_ranges(evidence, token);
  }
  return out;
}

int evidence_tokens(std::span<const Unit> units, const TokenRanges& evidence) {
  int tokens = 0;
  for (int i = 0; i < context_of(units); ++i) tokens += in_ranges(evidence, i);
  return tokens;
}

std::string budget_text(const std::vector<BudgetUse>& uses, std::span<const Unit> units, int evidence,
                        std::size_t width) {
  std::size_t name = 8;
  std::vector<const BudgetUse*> shown;
  for (const BudgetUse& use : uses) {
    if (use.selected == 0 || use.selected == context_of(units)) continue;
    shown.push_back(&use);
    name = std::max(name, display_width(use.name));
  }
  if (shown.empty()) return "";
  const auto line = [&](const auto& strategy, const auto& ratio, const auto& selected, const auto& exact,
                        const std::string& caught, const std::array<std::string, 3>& thirds) {
    std::string out = fmt::format("{} {:>5} {:>8} {:>6}", pad_right(strategy, name), ratio, selected, exact);
    if (evidence > 0) out += fmt::format(" {:>9}", caught);
    return out + fmt::format(" {:>5} {:>6} {:>5}  ", thirds[0], thirds[1], thirds[2]);
  };
  std::string out = line("strategy", "ratio", "selected", "exact", "evidence", {"first", "middle", "last"});
  const std::size_t before = display_width(out), room = width > before + 10 ? width - before : 10;
  const std::size_t fold = units.size() <= room ? units.size() : room / 10 * 10;
  out += "units\n";
  for (const BudgetUse* use : shown) {
    std::array<std::string, 3> thirds;
    for (std::size_t i = 0; i < 3; ++i)
      thirds[i] = fmt::format("{:.0f}%", 100.0 * use->in_third[i] / static_cast<double>(use->selected));
    out +=
        line(use->name, use->ratio, use->selected, use->exact, fmt::format("{}/{}", use->evidence, evidence), thirds);
    for (std::size_t u = 0; u < units.size(); u += fold) {
      out += std::string(u == 0 ? 0 : before, ' ') + bars(*use, units, u, u + fold) + "\n";
    }
  }
  out += "exact: tokens that were exact already; first, middle, last: the selection by thirds of the context\n";
  out += fmt::format("units: the share of each unit's tokens that was selected{}{}\n",
                     units.front().kind == UnitKind::prefix ? ", the prefix first" : "",
                     fold < units.size() ? fmt::format("; {} units a line", fold) : "");
  return out;
}

}  // namespace kvmend
