#include "catch.h"
#include "experiment/selection/token_paint.h"

using namespace kvmend;
using Catch::Contains;

namespace {

/// A token a byte.
TokenTable byte_tokens(std::string_view text) {
  TokenTable table;
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    table.ids.push_back(0);
    table.begin.push_back(i);
    table.end.push_back(i + 1);
  }
  return table;
}

std::string painted(std::string_view text, const std::vector<int>& selected, bool color,
                    const std::vector<std::pair<int, int>>& evidence = {}) {
  const auto n = static_cast<int>(text.size());
  return paint_tokens(text, byte_tokens(text), 0, n, token_marks(n, selected, nullptr, evidence, {}), color);
}

}  // namespace

TEST_CASE("without colour selected tokens stand in brackets, a run in one pair") {
  CHECK(painted("abcdef", {1, 2, 5}, false) == "a⟦bc⟧de⟦f⟧");
  CHECK(painted("abc", {}, false) == "abc");
  CHECK(painted("abc", {}, false, {{0, 2}}) == "abc");
  CHECK(painted("", {}, false).empty());
}

TEST_CASE("a mark never splits a character, and a text cannot drive the terminal") {
  CHECK(painted("a\xC3\xA9z", {1}, false) == "a⟦é⟧z");
  CHECK(painted("\xC3\xA9z", {1}, false) == "éz");  // the character's first byte is not selected: neither is it
  CHECK(painted("a\033[2J\x7f\n", {}, false) == "a␛[2J␡\n");
  const std::string colored = painted("a\nb", {0, 1, 2}, true);
  CHECK_THAT(colored, Contains("\033[0m\n\033["));  // a line break carries no background
}

TEST_CASE("evidence is underlined, dropped tokens struck out, high scores shaded") {
  CHECK_THAT(painted("ab", {}, true, {{1, 2}}), Contains("a\033[4mb\033[0m"));
  const std::vector<int> kept{0};
  const auto marks = token_marks(2, {}, &kept, {}, {});
  CHECK_FALSE(marks[0].dropped);
  CHECK(marks[1].dropped);
  std::vector<float> scores(100);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = static_cast<float>(i);
  const auto heat = token_marks(100, {}, nullptr, {}, scores);
  CHECK(heat[99].heat == 5);
  CHECK(heat[98].heat == 5);
  CHECK(heat[97].heat == 4);
  CHECK(heat[94].heat == 3);
  CHECK(heat[80].heat == 2);
  CHECK(heat[60].heat == 1);
  CHECK(heat[59].heat == 0);
}

TEST_CASE("one line of a text") {
  CHECK(one_line("a\nb\tc", 10) == "a b c");
  CHECK(one_line("äöüß", 4) == "äöüß");
  CHECK(one_line("äöüß", 3) == "äö…");
  CHECK(bar_of(0) == " ");
  CHECK(bar_of(0.01) == "▁");
  CHECK(bar_of(1) == "█");
}
