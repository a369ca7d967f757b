#include "catch.h"
#include "experiment/selection/budget_use.h"
#include "experiment/text/width.h"

using namespace kvmend;
using Catch::Contains;

namespace {

/// A prefix of 10 tokens and chunks of 10.
std::vector<Unit> units_of(int chunks) {
  std::vector<Unit> out{{UnitKind::prefix, 0, 10}};
  for (int c = 1; c <= chunks; ++c) out.push_back({UnitKind::chunk, 10 * c, 10 * c + 10});
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

BudgetUse named(BudgetUse use, const char* name) {
  use.name = name;
  use.ratio = "0.2";
  return use;
}

}  // namespace

TEST_CASE("a selection is counted by chunk, by third of the context and by evidence") {
  const auto units = units_of(2);
  const TokenRanges evidence{{12, 16}, {15, 18}, {29, 31}};  // two overlap
  CHECK(evidence_tokens(units, evidence) == 7);              // 12 to 17 and 29; 30 is no context
  const BudgetUse use = budget_use({0, 9, 10, 14, 15, 19, 20, 29}, units, evidence);
  CHECK(use.selected == 8);
  CHECK(use.in_unit == std::vector<int>{2, 4, 2});
  CHECK(use.in_third == std::array<int, 3>{2, 4, 2});
  CHECK(use.evidence == 3);
  const BudgetUse odd = budget_use({0, 3, 4, 6, 7, 9}, std::vector<Unit>{{UnitKind::chunk, 0, 10}}, {});
  CHECK(odd.in_third == std::array<int, 3>{2, 2, 2});  // 0 to 3, 4 to 6, 7 to 9
  CHECK(budget_use({}, units, evidence).in_unit == std::vector<int>{0, 0, 0});
}

TEST_CASE("the budget's table has a line a selection") {
  const auto units = units_of(2);
  BudgetUse some = named(budget_use({10, 11, 12, 25}, units, {{12, 16}}), "epic");
  some.exact = 3;
  std::vector<int> everything;
  for (int i = 0; i < 30; ++i) everything.push_back(i);
  const std::vector<BudgetUse> uses{some, named(budget_use(everything, units, {}), "full"),
                                    named(budget_use({}, units, {}), "reuse")};
  CHECK(budget_text(uses, units, 4, 100) ==
        "strategy ratio selected  exact  evidence first middle  last  units\n"
        "epic       0.2        4      3       1/4    0%    75%   25%   ▃▁\n"
        "exact: tokens that were exact already; first, middle, last: the selection by thirds of the context\n"
        "units: the share of each unit's tokens that was selected, the prefix first\n");
  CHECK_THAT(budget_text(uses, units, 0, 100), !Contains("evidence"));
  CHECK(budget_text({uses[1], uses[2]}, units, 4, 100).empty());
}

TEST_CASE("bars of many units go on below, and none is lost") {
  const auto units = units_of(95);
  std::vector<int> selected;
  for (int u = 0; u < 96; ++u) selected.push_back(10 * u);
  const std::vector<BudgetUse> uses{named(budget_use(selected, units, {}), "a strategy of a long name")};
  for (const int width : {40, 80, 100, 120, 200}) {
    CAPTURE(width);
    const auto lines = lines_of(budget_text(uses, units, 0, static_cast<std::size_t>(width)));
    std::size_t bars = 0;
    for (const std::string& line : lines) {
      for (std::size_t at = 0; (at = line.find("▁", at)) != std::string::npos; at += 3) ++bars;
      const bool legend = line.starts_with("exact:") || line.starts_with("units:");
      if (width >= 80 && !legend) CHECK(display_width(line) <= static_cast<std::size_t>(width));
    }
    CHECK(bars == 96);
    const std::size_t before = lines[0].find("units");
    if (width == 80) CHECK_THAT(lines.back(), Contains("; 10 units a line"));
    if (width == 200) CHECK_THAT(lines.back(), !Contains("a line"));
    if (width < 200) CHECK(lines[2].find_first_not_of(' ') == before);
  }
}
