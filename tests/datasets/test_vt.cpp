#include <map>
#include <regex>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "fakes.h"

using namespace kvmend;

namespace {

/// Every variable with the value asked for, by the assignments in the text alone.
std::vector<std::string> follow(const std::string& text, const std::string& value) {
  std::map<std::string, std::string> source;
  static const std::regex assignment(R"(VAR ([A-Z]+) = (?:VAR )?([A-Z]+|\d+))");
  std::vector<std::string> order;
  for (std::sregex_iterator it(text.begin(), text.end(), assignment), end; it != end; ++it) {
    source[(*it)[1]] = (*it)[2];
    order.push_back((*it)[1]);
  }
  std::vector<std::string> out;
  for (const auto& name : order) {
    std::string at = name;
    while (source.contains(at)) at = source.at(at);
    if (at == value) out.push_back(name);
  }
  return out;
}

std::string asked(const std::string& query) {
  std::smatch found;
  REQUIRE(std::regex_search(query, found, std::regex(R"(assigned the value (\d{5}) in the text above\.)")));
  return found[1];
}

}  // namespace

TEST_CASE("vt: the chain can be followed from the text, and is the answer") {
  const FakeTokenizer tokenizer;
  for (const auto& [chains, hops] : {std::pair{1, 4}, std::pair{3, 2}}) {
    const auto task = fake_task(
        "ruler/vt", yaml_map({{"length", 1800}, {"samples", 150}, {"chains", chains}, {"hops", hops}}), tokenizer);
    for (int i = 0; i < 150; ++i) {
      const TaskSample s = task->sample(i);
      CHECK(follow(s.context, asked(s.query)) == s.references);
      CHECK(static_cast<int>(s.references.size()) == hops + 1);
      for (const auto& name : s.references) CHECK(std::regex_match(name, std::regex("[A-Z]{5}")));
      REQUIRE(s.evidence.size() == s.references.size());
      for (std::size_t k = 0; k < s.evidence.size(); ++k) {
        const std::string line = s.context.substr(s.evidence[k].begin, s.evidence[k].end - s.evidence[k].begin);
        CHECK(line == (k == 0 ? "VAR " + s.references[0] + " = " + asked(s.query)
                              : "VAR " + s.references[k] + " = VAR " + s.references[k - 1] + " "));
        const bool whole_line = (s.evidence[k].begin == 0 || s.context[s.evidence[k].begin - 1] == '\n');
        CHECK(whole_line);
      }
      const int tokens = static_cast<int>(tokenizer.encode(raw_prompt(s)).size()) + s.max_new_tokens;
      CHECK(tokens <= 1800);
      CHECK(tokens > 1800 - 60);
    }
  }
}

TEST_CASE("vt: template and worked example are RULER's") {
  const FakeTokenizer tokenizer;
  const auto task = fake_task("ruler/vt", yaml_map({{"samples", 2}}), tokenizer);
  const TaskSample s = task->sample(1), other = task->sample(0);
  const std::string value = asked(s.query);
  const std::string head = "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n";
  CHECK(s.prefix.starts_with(head));
  CHECK(s.prefix.ends_with("\n\n\n" + head));
  CHECK(s.query == "\nQuestion: Find all variables that are assigned the value " + value + " in the text above.");
  CHECK(s.answer_prefix ==
        " Answer: According to the chain(s) of variable assignment in the text above, 5 variables are assgined the "
        "value " +
            value + ", they are: ");
  CHECK(s.max_new_tokens == 30);
  CHECK(s.id == "vt-42-1");
  // The example: three-letter names, its own value, about 500 tokens, another one for every sample.
  const std::string shot = s.prefix.substr(0, s.prefix.size() - head.size());
  const auto answer_at = shot.find(" they are: ");
  REQUIRE(answer_at != std::string::npos);
  const std::string shot_value = asked(shot);
  CHECK(shot_value != value);
  std::string names;
  for (const auto& name : follow(shot, shot_value)) {
    CHECK(name.size() == 3);
    names += (names.empty() ? "" : " ") + name;
  }
  CHECK(shot.substr(answer_at) == " they are: " + names + "\n\n\n");
  const auto tokens = tokenizer.encode(shot).size();
  CHECK(tokens <= 500);
  CHECK(tokens > 440);
  CHECK(other.prefix != s.prefix);
  CHECK(other.prefix.size() < s.prefix.size() + 20);
}

TEST_CASE("vt: a length that is too short names the smallest that fits") {
  const FakeTokenizer tokenizer;
  std::string message;
  try {
    fake_task("ruler/vt", yaml_map({{"length", 300}, {"samples", 20}}), tokenizer);
  } catch (const Error& error) {
    message = error.what();
  }
  std::smatch found;
  REQUIRE(std::regex_search(
      message, found,
      std::regex(R"(^ruler/vt: length 300 is too short; the smallest that fits is (\d+) tokens \(30 of them)")));
  CHECK_NOTHROW(
      fake_task("ruler/vt", yaml_map({{"length", std::stoi(found[1])}, {"samples", 20}}), tokenizer)->sample(19));
  CHECK_THROWS_AS(fake_task("ruler/vt", yaml_map({{"length", std::stoi(found[1]) - 1}, {"samples", 20}}), tokenizer),
                  Error);
  CHECK_THROWS_WITH(fake_task("ruler/vt", yaml_map({{"example_tokens", 20}}), tokenizer),
                    Catch::Contains("ruler/vt (worked example): length 20 is too short"));
}
