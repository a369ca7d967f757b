#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "datasets/ruler/words.h"
#include "fakes.h"

using namespace kvmend;

namespace {

const std::vector<std::string> niah_names = {"ruler/niah_multikey_1", "ruler/niah_multikey_2", "ruler/niah_multikey_3",
                                             "ruler/niah_multiquery", "ruler/niah_multivalue", "ruler/niah_single_1",
                                             "ruler/niah_single_2",   "ruler/niah_single_3"};

std::string between(const std::string& text, const std::string& left, const std::string& right) {
  const auto begin = text.find(left);
  if (begin == std::string::npos) return "";
  const auto end = text.find(right, begin + left.size());
  return end == std::string::npos ? "" : text.substr(begin + left.size(), end - begin - left.size());
}

/// The reader of the task: finds the values of the keys asked for by the needle's sentence alone.
std::multiset<std::string> read_values(const TaskSample& sample) {
  const std::string asked = between(sample.query, " for ", " mentioned in");
  std::multiset<std::string> values;
  static const std::regex needle(R"(One of the special magic (words|numbers|uuids) for (\S+) is: (\S+)\.)");
  for (std::sregex_iterator it(sample.context.begin(), sample.context.end(), needle), end; it != end; ++it) {
    if (("," + asked + ",").find((*it)[2].str()) != std::string::npos) values.insert((*it)[3].str());
  }
  return values;
}

int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
  return n;
}

}  // namespace

TEST_CASE("needle tasks: every sample is answerable by its own rule and fits its length") {
  const FakeTokenizer tokenizer;
  for (const auto& name : niah_names) {
    const auto task = fake_task(name, yaml_map({{"length", 1500}, {"samples", 200}}), tokenizer);
    REQUIRE(task->size() == 200);
    int shortest = 1500;
    for (int i = 0; i < task->size(); ++i) {
      const TaskSample sample = task->sample(i);
      INFO(name << " " << i << "\n" << sample.query);
      CHECK(read_values(sample) == std::multiset<std::string>(sample.references.begin(), sample.references.end()));
      CHECK(sample.evidence.size() == sample.references.size());
      for (const auto& span : sample.evidence) {
        const std::string needle = sample.context.substr(span.begin, span.end - span.begin);
        CHECK(needle.starts_with("One of the special magic "));
        CHECK(needle.ends_with("."));
        CHECK(std::any_of(sample.references.begin(), sample.references.end(), [&](const auto& reference) {
          return needle.find(" is: " + reference + ".") != std::string::npos;
        }));
      }
      const int tokens = static_cast<int>(tokenizer.encode(raw_prompt(sample)).size()) + sample.max_new_tokens;
      CHECK(tokens <= 1500);
      shortest = std::min(shortest, tokens);
    }
    // The largest haystack that fits: what is left is less than two lines of it.
    CHECK(shortest > 1500 - 120);
  }
}

TEST_CASE("needle tasks: templates are RULER's, word for word") {
  const FakeTokenizer tokenizer;
  const auto sample_of = [&](const char* name) {
    return fake_task(name, yaml_map({{"samples", 2}}), tokenizer)->sample(1);
  };
  {
    const TaskSample s = sample_of("ruler/niah_single_1");
    const std::string key = between(s.query, " for ", " mentioned");
    CHECK(s.prefix ==
          "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz "
          "you about the number afterwards.\n");
    CHECK(s.query == "\nWhat is the special magic number for " + key + " mentioned in the provided text?");
    CHECK(s.query.substr(s.question.begin, s.question.end - s.question.begin) == s.query.substr(1));
    CHECK(s.answer_prefix == " The special magic number for " + key + " mentioned in the provided text is");
    CHECK(
        s.context.find("The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n") !=
        std::string::npos);
    CHECK(s.max_new_tokens == 128);
    CHECK(s.metric == "string_match_all");
    CHECK(s.id == "niah_single_1-42-1");
  }
  {
    const TaskSample s = sample_of("ruler/niah_multivalue");
    const std::string key = between(s.query, " for ", " mentioned");
    CHECK(s.prefix ==
          "Some special magic numbers are hidden within the following text. Make sure to memorize it. I will "
          "quiz you about the numbers afterwards.\n");
    CHECK(s.query == "\nWhat are all the special magic numbers for " + key + " mentioned in the provided text?");
    CHECK(s.answer_prefix == " The special magic numbers for " + key + " mentioned in the provided text are");
    CHECK(s.references.size() == 4);
    CHECK(count(s.context, " for " + key + " is: ") == 4);
  }
  {
    const TaskSample s = sample_of("ruler/niah_multiquery");
    CHECK(std::regex_search(
        s.query, std::regex(R"(for [a-z]+-[a-z]+, [a-z]+-[a-z]+, [a-z]+-[a-z]+, and [a-z]+-[a-z]+ mentioned)")));
    CHECK(s.references.size() == 4);
  }
  {
    const TaskSample s = sample_of("ruler/niah_multikey_1");
    CHECK(count(s.context, "One of the special magic numbers for ") == 4);
    CHECK(s.evidence.size() == 1);
  }
  {
    const TaskSample s = sample_of("ruler/niah_multikey_3");
    static const std::regex line(
        "One of the special magic uuids for [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
        "[0-9a-f]{12} is: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\\.");
    for (std::size_t at = 0; at < s.context.size();) {
      const auto end = std::min(s.context.find('\n', at), s.context.size());
      CHECK(std::regex_match(s.context.substr(at, end - at), line));
      at = end + 1;
    }
  }
  {
    const TaskSample s = sample_of("ruler/niah_single_3");
    CHECK(s.prefix.starts_with("A special magic uuid is hidden"));
    CHECK(s.references.front().size() == 36);
  }
}

TEST_CASE("needle tasks: sample i depends on the seed and i only") {
  const FakeTokenizer tokenizer;
  for (const auto& name : niah_names) {
    const auto few = fake_task(name, yaml_map({{"length", 1024}, {"samples", 3}}), tokenizer);
    const auto many = fake_task(name, yaml_map({{"length", 1024}, {"samples", 30}}), tokenizer);
    const auto other = fake_task(name, yaml_map({{"length", 1024}, {"samples", 3}, {"seed", 43}}), tokenizer);
    std::set<std::string> seen;
    for (const int i : {2, 0, 1}) {
      CHECK(raw_prompt(few->sample(i)) == raw_prompt(many->sample(i)));
      CHECK(raw_prompt(few->sample(i)) != raw_prompt(other->sample(i)));
      CHECK(seen.insert(raw_prompt(few->sample(i))).second);
    }
  }
}

TEST_CASE("needle tasks: the same sample on every platform") {
  // Frozen: a change here changes stored results' meaning, and needs a new version of the task (or of Prose).
  const FakeTokenizer tokenizer;
  const std::map<std::string, std::string> frozen = {
      {"ruler/niah_multikey_1", "2d7ff070e4d7"}, {"ruler/niah_multikey_2", "60ef5ec95be5"},
      {"ruler/niah_multikey_3", "17fb35fad2ba"}, {"ruler/niah_multiquery", "f448b13dee47"},
      {"ruler/niah_multivalue", "af93e21211b7"}, {"ruler/niah_single_1", "b0d10565183c"},
      {"ruler/niah_single_2", "8cd1aa4eeca9"},   {"ruler/niah_single_3", "9a7585992789"}};
  for (const auto& name : niah_names) {
    const auto task = fake_task(name, yaml_map({{"length", 1024}}), tokenizer);
    CHECK(name + " " + sha256(raw_prompt(task->sample(17))).substr(0, 12) == name + " " + frozen.at(name));
  }
}

TEST_CASE("needle tasks: needles spread over the whole depth") {
  const FakeTokenizer tokenizer;
  for (const char* name : {"ruler/niah_single_1", "ruler/niah_single_2", "ruler/niah_multikey_2"}) {
    const auto task = fake_task(name, yaml_map({{"length", 2048}, {"samples", 400}}), tokenizer);
    std::vector<int> tenths(10, 0);
    for (int i = 0; i < task->size(); ++i) {
      const TaskSample sample = task->sample(i);
      const double depth = static_cast<double>(sample.evidence[0].begin) / static_cast<double>(sample.context.size());
      ++tenths[static_cast<std::size_t>(std::min(9.0, depth * 10))];
    }
    INFO(name);
    for (const int n : tenths) {
      CHECK(n > 15);  // 40 expected; below 15 has probability 1e-6
      CHECK(n < 80);
    }
  }
}

TEST_CASE("needle tasks: a length that is too short names the smallest that fits") {
  const FakeTokenizer tokenizer;
  for (const auto& name : niah_names) {
    std::string message;
    try {
      fake_task(name, yaml_map({{"length", 150}, {"samples", 50}}), tokenizer);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      message = error.what();
    }
    INFO(name << ": " << message);
    const std::string number = between(message, "smallest that fits is ", " tokens");
    REQUIRE(!number.empty());
    const int smallest = std::stoi(number);
    const auto task = fake_task(name, yaml_map({{"length", smallest}, {"samples", 50}}), tokenizer);
    for (int i = 0; i < 50; ++i) {
      CHECK(static_cast<int>(tokenizer.encode(raw_prompt(task->sample(i))).size()) + 128 <= smallest);
    }
    CHECK_THROWS_AS(fake_task(name, yaml_map({{"length", smallest - 1}, {"samples", 50}}), tokenizer), Error);
  }
}

TEST_CASE("needle tasks: impossible parameters are refused at their place") {
  const auto messages = [](Value params) {
    ParamErrors errors;
    check_task("ruler/niah_multikey_1", {"c.yaml", 3, 5}, params, errors);
    std::string out;
    for (const auto& message : errors.messages) out += message + "\n";
    return out;
  };
  Value queries = yaml_map({{"queries", 9}});
  queries.map()[0].value.where = {"c.yaml", 4, 20};
  CHECK(messages(queries) == "c.yaml:4:20: queries is 9, but only 4 keys are hidden\n");
  CHECK(messages(yaml_map({{"keys", 20}, {"values", 3}})).find("60 needles, but an essay has 40 depths") !=
        std::string::npos);
  CHECK(messages(yaml_map({{"haystack", "noise"}, {"essay", "x.txt"}})).find("haystack is not essay") !=
        std::string::npos);
  CHECK(messages(yaml_map({{"haystack", "nois"}})).find("did you mean 'noise'") != std::string::npos);
  CHECK(messages(yaml_map({{"lenght", 4096}})).find("did you mean 'length'") != std::string::npos);
  CHECK(messages(yaml_map({{"samples", 0}})).find("must be between 1 and") != std::string::npos);
}
