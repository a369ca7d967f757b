#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "datasets/haystack/essay.h"
#include "datasets/haystack/prose.h"
#include "datasets/ruler/needles.h"
#include "datasets/sentences.h"
#include "eval/text.h"

using namespace kvmend;

TEST_CASE("the generated essay does not repeat itself at 128K tokens") {
  const auto essay = Essay::generated();
  constexpr int words = 110000;  // more than 128K tokens of any tokenizer we read
  essay->reserve(words);
  const std::string text(essay->text(words));
  std::set<std::string> sentences, openings;
  const auto ends = essay->sentences(words);
  std::size_t at = 0;
  for (const auto end : ends) {
    sentences.insert(text.substr(at, end - at));
    at = end + 1;
  }
  const double distinct = static_cast<double>(sentences.size()) / static_cast<double>(ends.size());
  CHECK(distinct > 0.995);
  const auto list = split_spaces(text);
  std::map<std::string, int> grams;
  for (std::size_t i = 0; i + 8 <= list.size(); ++i) {
    std::string gram;
    for (std::size_t k = 0; k < 8; ++k) gram += list[i + k] + " ";
    ++grams[gram];
  }
  int most = 0;
  for (const auto& [gram, n] : grams) most = std::max(most, n);
  const double eight = static_cast<double>(grams.size()) / static_cast<double>(list.size() - 7);
  INFO("sentences " << ends.size() << ", distinct " << distinct << "; distinct 8-grams " << eight << ", most frequent "
                    << most << " times");
  CHECK(eight > 0.7);
}

TEST_CASE("the essay is the same for everyone, and longer text begins with shorter") {
  const auto a = Essay::generated(), b = Essay::generated();
  a->reserve(5000);
  b->reserve(100);
  b->reserve(5000);
  CHECK(a->text(5000) == b->text(5000));
  CHECK(a->text(5000).starts_with(a->text(4999)));
  CHECK(a->text(0).empty());
  CHECK(a->sentences(0).empty());
  CHECK(a->identity() == "prose v" + std::to_string(Prose::version));
  CHECK_THROWS_AS(b->text(1000000), Error);
}

TEST_CASE("generated sentences are well formed") {
  Prose prose(3);
  for (int i = 0; i < 300; ++i) {
    const std::string paragraph = prose.paragraph();
    INFO(paragraph);
    CHECK(paragraph.find_first_of("<>|{}(") == std::string::npos);
    CHECK(paragraph.find("  ") == std::string::npos);
    const auto ends = sentence_ends(paragraph);
    CHECK(ends.size() >= 4);
    CHECK(ends.size() <= 9);
    std::size_t at = 0;
    for (const auto end : ends) {
      const std::size_t first = paragraph[at] == '"' ? at + 1 : at;
      CHECK(std::isupper(static_cast<unsigned char>(paragraph[first])));
      at = end + 1;
    }
  }
}

TEST_CASE("an essay from a file repeats when it is exhausted, white space collapsed") {
  const auto path = std::filesystem::temp_directory_path() / "kvmend-essay-test.txt";
  const auto write = [&](const std::string& text) { std::ofstream(path, std::ios::binary) << text; };
  write("  One two.\n\nThree\tfour!  Five ");
  const auto essay = Essay::from_file(path);
  essay->reserve(12);
  CHECK(essay->text(12) == "One two. Three four! Five One two. Three four! Five One two.");
  CHECK(essay->sentences(4) == std::vector<std::size_t>{8, 20});
  CHECK(essay->sentences(5) == std::vector<std::size_t>{8, 20, 25});
  CHECK(essay->sentences(3) == std::vector<std::size_t>{8, 14});
  CHECK(essay->identity().find("kvmend-essay-test.txt sha256:") == 0);
  write(" \n\t ");
  CHECK_THROWS_WITH(Essay::from_file(path), Catch::Contains("no text in it"));
  write("one\ntw\xc3 o");
  CHECK_THROWS_WITH(Essay::from_file(path), Catch::Contains("kvmend-essay-test.txt:2:3: not UTF-8 (byte 0xC3)"));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(Essay::from_file(path), Error);
}

TEST_CASE("needles stand between sentences, in order, at RULER's depths") {
  std::string text;
  std::vector<std::size_t> ends;
  for (int i = 0; i < 100; ++i) {
    text += (i ? " S" : "S") + std::to_string(i) + ".";
    ends.push_back(text.size());
  }
  std::set<std::size_t> depths;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    const std::vector<std::string> needles = {"N1 is here.", "N2 is here."};
    const HiddenText hidden = hide_in_sentences(text, ends, needles, random);
    REQUIRE(hidden.needles.size() == 2);
    CHECK(hidden.needles[0].end < hidden.needles[1].begin);
    std::string rest = hidden.text;
    for (std::size_t n = 2; n-- > 0;) {
      const auto [begin, end] = hidden.needles[n];
      CHECK(hidden.text.substr(begin, end - begin) == needles[n]);
      CHECK((begin == 0 || hidden.text.substr(begin - 2, 2) == ". "));
      CHECK((end == hidden.text.size() || hidden.text[end] == ' '));
      rest.erase(begin == 0 ? begin : begin - 1, needles[n].size() + 1);
      const auto prefix = hidden.text.substr(0, begin);
      if (n == 0) depths.insert(static_cast<std::size_t>(std::count(prefix.begin(), prefix.end(), 'S')));
    }
    CHECK(rest == text);
  }
  // Depths 0, 3, 5, 8 … 100 of 100 sentences: every one but the last is taken by a first needle some time.
  CHECK(*depths.begin() == 0);
  CHECK(depths.size() > 35);
  CHECK(depths.contains(5));
  CHECK_FALSE(depths.contains(4));
}

TEST_CASE("needles in lines stand before distinct lines") {
  const std::vector<std::string> lines = {"a", "b", "c"};
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const HiddenText hidden = hide_in_lines(lines, {"X", "Y"}, random);
    for (std::size_t n = 0; n < 2; ++n) {
      CHECK(hidden.text.substr(hidden.needles[n].begin, 1) == (n == 0 ? "X" : "Y"));
    }
    seen.insert(hidden.text);
  }
  CHECK(seen == std::set<std::string>{"X\na\nY\nb\nc", "X\na\nb\nY\nc", "a\nX\nb\nY\nc", "Y\na\nX\nb\nc",
                                      "Y\na\nb\nX\nc", "a\nY\nb\nX\nc"});
}

TEST_CASE("a grammar expands symbols, remembers slots, deals marked rules and picks articles") {
  Grammar grammar(
      "start: <1=who> met <1=who> on <.noun>\n"
      "who: <letter>\n | <letter><letter>\n"
      "letter!: x | y\n"
      "sea.noun: a(n) <thing>\n"
      "thing: hour | oar | boat | use\n",
      Random(1));
  CHECK(grammar.topics() == std::vector<std::string>{"sea"});
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    grammar.begin_paragraph("sea");
    const std::string text = grammar.expand("start");
    seen.insert(text.substr(text.find(" on ") + 4));
    const auto who = text.substr(0, text.find(' '));
    CHECK(text.find(" met " + who + " on ") != std::string::npos);
  }
  CHECK(seen == std::set<std::string>{"an hour", "an oar", "a boat", "a use"});
  Grammar cards("letter!: x | y\n", Random(2));
  int x = 0;
  for (int i = 0; i < 10; ++i) x += cards.expand("letter") == "x" ? 1 : 0;
  CHECK(x == 5);
  CHECK_THROWS_WITH(Grammar("start: <nothing>\n", Random(1)), Catch::Contains("no rule 'nothing' (used in 'start')"));
  CHECK_THROWS_WITH(Grammar("start: a |\n", Random(1)), Catch::Contains("empty alternative in 'start'"));
  CHECK_THROWS_WITH(Grammar("start: a\nstart: b\n", Random(1)), Catch::Contains("two rules for 'start'"));
  CHECK_THROWS_WITH(Grammar("s: <.verb>\nsea.noun: a\n", Random(1)), Catch::Contains("no rule 'sea.verb'"));
}
