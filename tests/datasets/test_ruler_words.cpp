#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "catch.h"
#include "core/error.h"
#include "datasets/ruler/vocabulary.h"
#include "fakes.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

using Counts = std::map<std::string, int>;

/// The words of "1. w 2. w …", counted; the numbers must run from 1.
Counts read_numbered(const std::string& text) {
  Counts out;
  std::istringstream words(text);
  std::string number, word;
  for (int i = 1; words >> number >> word; ++i) {
    if (number != std::to_string(i) + ".") FAIL("entry " << i << " is headed " << number);
    ++out[word];
  }
  return out;
}

/// The n words that come most often, and how often the last of them and the next one do.
struct Top {
  std::set<std::string> words;
  int last, next;
};
Top top(const Counts& counts, std::size_t n) {
  std::vector<std::pair<int, std::string>> order;
  for (const auto& [word, count] : counts) order.emplace_back(count, word);
  std::sort(order.rbegin(), order.rend());
  Top out{{}, order.at(n - 1).first, order.at(n).first};
  for (std::size_t i = 0; i < n; ++i) out.words.insert(order[i].second);
  return out;
}

std::set<std::string> as_set(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

std::string between(const std::string& text, const std::string& left, const std::string& right) {
  const auto begin = text.find(left) + left.size();
  return text.substr(begin, text.find(right, begin) - begin);
}

int used_tokens(const TaskSample& s, const FakeTokenizer& tokenizer) {
  return static_cast<int>(tokenizer.encode(raw_prompt(s)).size()) + s.max_new_tokens;
}

}  // namespace

TEST_CASE("cwe: the ten words that come most often, counted in the text, are the answer") {
  const FakeTokenizer tokenizer;
  for (const int length : {1024, 4096, 12000}) {
    const bool small = length < 4096;
    const int samples = length == 12000 ? 5 : 300;
    const auto task = fake_task("ruler/cwe", yaml_map({{"length", length}, {"samples", samples}}), tokenizer);
    for (int i = 0; i < samples; ++i) {
      const TaskSample s = task->sample(i);
      const Counts counts = read_numbered(s.context);
      const Top common = top(counts, 10);
      CHECK(common.words == as_set(s.references));
      CHECK(s.references.size() == 10);
      CHECK(common.last == (small ? 6 : 30));
      CHECK(common.next == (small ? 1 : 3));
      CHECK(std::count_if(counts.begin(), counts.end(), [&](const auto& c) { return c.second == common.next; }) ==
            static_cast<std::ptrdiff_t>(counts.size()) - 10);
      CHECK(used_tokens(s, tokenizer) <= length);
      CHECK(used_tokens(s, tokenizer) > length - 60);
    }
  }
}

TEST_CASE("cwe: template and worked example are RULER's") {
  const FakeTokenizer tokenizer;
  const TaskSample s = fake_task("ruler/cwe", yaml_map({{"samples", 2}}), tokenizer)->sample(1);
  const std::string head =
      "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that "
      "appear most often.\n";
  const std::string tail =
      "\nQuestion: What are the 10 most common words in the above list? Answer: The top 10 words that appear most "
      "often "
      "in the list are:";
  CHECK(s.prefix.starts_with(head + "1. "));
  CHECK(s.prefix.ends_with("\n" + head));
  CHECK(s.query + s.answer_prefix == tail);
  CHECK(s.query.substr(s.question.begin, s.question.end - s.question.begin) == s.query.substr(1));
  const std::string shot = between(s.prefix, head, tail), answer = between(s.prefix, tail + " ", "\n");
  const Counts counts = read_numbered(shot), answered = read_numbered(answer);
  CHECK(counts.size() == 40);
  const Top common = top(counts, 10);
  CHECK(common.last == 10);
  CHECK(common.next == 3);
  std::set<std::string> words;
  for (const auto& [word, count] : answered) words.insert(word);
  CHECK(words == common.words);
  CHECK(s.max_new_tokens == 120);
  CHECK(s.metric == "string_match_all");
  CHECK(s.id == "cwe-42-1");
}

TEST_CASE("cwe: words of one's own, and impossible counts") {
  const FakeTokenizer tokenizer;
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "word" + std::to_string(i) + (i % 7 == 0 ? "\n" : " ");
  folder.write("words.txt", text);
  const Vocabulary words = Vocabulary::from_file(folder.path / "words.txt");
  CHECK(words.size() == 100);
  Random random(1), same(1);
  const auto all = words.draw(100, random), few = words.draw(7, same);
  CHECK(as_set(all).size() == 100);
  CHECK(std::equal(few.begin(), few.end(), all.begin()));
  const Value params = yaml_map({{"words", (folder.path / "words.txt").string()}, {"length", 100000}, {"samples", 1}});
  const auto task = fake_task("ruler/cwe", params, tokenizer);
  CHECK(read_numbered(task->sample(0).context).size() == 100);  // all there are; the prompt is shorter than asked for
  CHECK(task->data_identity().starts_with("generated, words.txt sha256:"));
  folder.write("words.txt", "a few words");
  CHECK_THROWS_WITH(Vocabulary::from_file(folder.path / "words.txt"), Catch::Contains("3 different words"));
  ParamErrors errors;
  check_task("ruler/cwe", {}, yaml_map({{"common_times", 3}}), errors);
  REQUIRE(errors.messages.size() == 1);
  CHECK(errors.messages[0] == "common_times is 3 and other_times 3: the first must be larger");
}

TEST_CASE("the built-in words are enough for any length, and short ones come first") {
  Random random(5);
  const auto words = Vocabulary::built_in().draw(40000, random);
  CHECK(as_set(words).size() == 40000);
  double letters = 0;
  for (std::size_t i = 0; i < 1000; ++i) letters += static_cast<double>(words[i].size());
  CHECK(letters / 1000 < 6.5);
}

TEST_CASE("fwe: the three words that come most often behind the dots are the answer") {
  const FakeTokenizer tokenizer;
  const double zeta = 1.6449340668482264;  // pi^2 / 6
  for (const int length : {1024, 4096}) {
    const auto task = fake_task("ruler/fwe", yaml_map({{"length", length}, {"samples", 300}}), tokenizer);
    for (int i = 0; i < 300; ++i) {
      const TaskSample s = task->sample(i);
      Counts counts;
      std::istringstream words(s.context);
      for (std::string word; words >> word;) ++counts[word];
      const int dots = counts["..."];
      counts.erase("...");
      const Top three = top(counts, 3);
      CHECK(three.words == as_set(s.references));
      CHECK(three.last > three.next);
      CHECK(counts.size() <= static_cast<std::size_t>((length - 50) / 50));
      for (const auto& [word, count] : counts) CHECK(word.size() == 6);
      // Ranks 1 to 4 of a zeta distribution, rounded down from one total.
      const double total = dots * zeta;
      for (int rank = 2; rank <= 4; ++rank) {
        const double expected = total / (rank * rank * zeta);
        CHECK(std::abs(counts[s.references[static_cast<std::size_t>(rank) - 2]] - expected) < 1.3);
      }
      CHECK(used_tokens(s, tokenizer) <= length);
      CHECK(used_tokens(s, tokenizer) > length - 40);
    }
  }
}

TEST_CASE("fwe: the template is RULER's") {
  const FakeTokenizer tokenizer;
  const TaskSample s = fake_task("ruler/fwe", yaml_map({{"samples", 2}}), tokenizer)->sample(1);
  CHECK(s.prefix ==
        "Read the following coded text and track the frequency of each coded word. Find the three most frequently "
        "appeared coded words. ");
  CHECK(s.query ==
        "\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently "
        "appeared words in the above coded text?");
  CHECK(s.answer_prefix == " Answer: According to the coded text above, the three most frequently appeared words are:");
  CHECK(s.max_new_tokens == 50);
  CHECK(s.id == "fwe-42-1");
}

TEST_CASE("cwe and fwe: sample i depends on the seed and i only; too short a length names the smallest") {
  const FakeTokenizer tokenizer;
  for (const char* name : {"ruler/cwe", "ruler/fwe"}) {
    INFO(name);
    const auto few = fake_task(name, yaml_map({{"length", 2048}, {"samples", 3}}), tokenizer);
    const auto many = fake_task(name, yaml_map({{"length", 2048}, {"samples", 30}}), tokenizer);
    const auto other = fake_task(name, yaml_map({{"length", 2048}, {"samples", 3}, {"seed", 43}}), tokenizer);
    for (const int i : {2, 0, 1}) {
      CHECK(raw_prompt(few->sample(i)) == raw_prompt(many->sample(i)));
      CHECK(raw_prompt(few->sample(i)) != raw_prompt(other->sample(i)));
    }
    CHECK(raw_prompt(few->sample(0)) != raw_prompt(few->sample(1)));
    std::string message;
    try {
      fake_task(name, yaml_map({{"length", 200}, {"samples", 20}}), tokenizer);
    } catch (const Error& error) {
      message = error.what();
    }
    const int smallest = std::atoi(between(message, "smallest that fits is ", " tokens").c_str());
    REQUIRE(smallest > 200);
    CHECK_NOTHROW(fake_task(name, yaml_map({{"length", smallest}, {"samples", 20}}), tokenizer)->sample(19));
    CHECK_THROWS_AS(fake_task(name, yaml_map({{"length", smallest - 1}, {"samples", 20}}), tokenizer), Error);
  }
}
