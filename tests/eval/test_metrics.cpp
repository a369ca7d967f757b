#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "eval/metric.h"
#include "eval/text.h"
#include "paths.h"

using namespace kvmend;
using nlohmann::json;

namespace {

double score(const char* metric, const std::string& prediction, const std::vector<std::string>& references) {
  return find_metric(metric).score(prediction, references, {});
}

}  // namespace

TEST_CASE("scores equal the second implementation's") {
  std::ifstream file(source_folder() + "/tests/data/eval/metrics.jsonl");
  std::string line;
  REQUIRE(std::getline(file, line));
  std::vector<const MetricInfo*> columns;
  for (const auto& name : json::parse(line)) columns.push_back(&find_metric(name.get<std::string>()));
  CHECK(columns.size() == 7);  // the others' golden values: test_longbench.cpp
  int cases = 0;
  while (std::getline(file, line)) {
    const json row = json::parse(line);
    const std::string prediction = row[0];
    const std::vector<std::string> references = row[1];
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double ours = columns[c]->score(prediction, references, {});
      if (std::abs(ours - row[2][c].get<double>()) > 1e-12) {
        INFO(columns[c]->name << " of " << line);
        CHECK(ours == row[2][c].get<double>());
      }
    }
    ++cases;
  }
  CHECK(cases > 2500);
}

TEST_CASE("scores by hand") {
  CHECK(score("string_match_all", "They are 123, and 456.", {"123", "456", "789"}) == Approx(2.0 / 3));
  CHECK(score("string_match_all", "LUCID-harbor", {"lucid-Harbor"}) == 1);
  CHECK(score("string_match_all",
              "12\x01"
              "3",
              {"12\n3"}) == 1);
  CHECK(score("string_match_part", "They are 123.", {"123", "789"}) == 1);
  CHECK(score("string_match_part", "none", {"123", "789"}) == 0);
  CHECK(score("f1", "The red fox", {"a red dog"}) == Approx(0.5));
  CHECK(score("f1", "red red", {"red"}) == Approx(2.0 / 3));
  CHECK(score("f1", "blue", {"red", "Blue!"}) == 1);
  CHECK(score("f1", "", {""}) == 0);
  CHECK(score("exact_match", "The Red, Fox.", {"red fox"}) == 1);
  CHECK(score("exact_match", "red foxes", {"red fox"}) == 0);
  CHECK(score("substring", "It was built by Ilse Brun.", {"ilse brun", "x"}) == 1);
  CHECK(score("substring", "anything", {"the"}) == 0);
  CHECK(score("keyword_recall", "eat a sandwich in the park",
              {"eat a sandwich and sit in Dolores Park on a sunny day"}) == Approx(3.0 / 7));
  CHECK(score("keyword_recall", "it is", {"it was"}) == Approx(0.5));
  CHECK(score("rouge_l", "the cat sat", {"the cat sat"}) == Approx(1).margin(1e-8));
  CHECK(score("rouge_l", "a b c d", {"a c"}) == Approx(2 * 0.5 / 1.5));
  CHECK(score("rouge_l", "", {"a c"}) == 0);
  CHECK(score("rouge_l", "...", {"a c"}) == 0);
}

TEST_CASE("no reference scores nothing; invalid UTF-8 and long texts do no harm") {
  for (const auto& metric : metrics()) {
    INFO(metric.name);
    CHECK(metric.score("anything", {}, {}) == 0);
    CHECK(metric.score("\xff\xc3(", {"\xe2\x82"}, {}) >= 0);
    CHECK_FALSE(metric.summary.empty());
    CHECK_FALSE(metric.source.empty());
  }
  std::string text;
  for (int i = 0; i < 600; ++i) text += "word" + std::to_string(i % 97) + (i % 11 == 0 ? ". " : " ");
  CHECK(score("rouge_l", text, {text}) == Approx(1).margin(1e-8));
}

TEST_CASE("unknown metrics are refused with the nearest name") {
  CHECK_THROWS_WITH(find_metric("rouge"), "unknown metric 'rouge'; did you mean 'rouge_l'?");
  CHECK_THROWS_WITH(find_metric("perplexity"), "unknown metric 'perplexity'; 'kvmend list metrics' explains them");
}

TEST_CASE("text as Python sees it") {
  CHECK(lower_case("\u03a3\u039f\u03a6\u039f\u03a3 \u0130") == "\u03c3\u03bf\u03c6\u03bf\u03c2 i\u0307");
  CHECK(split_spaces("\u00a0a\u2003b\x1c"
                     "c\x85\u0085d\u200be ") == std::vector<std::string>{"a", "b", "c\ufffd", "d\u200be"});
  CHECK(strip("\u3000 a b\n") == "a b");
  CHECK(strip(" \n") == "");
  CHECK(collapse_spaces("  a \n b ") == "a b");
  CHECK(normalize_answer("The U.S. (an) a-b a_b th\u00e9 the1 'The'") == "us ab ab th\u00e9 the1");
  CHECK(encode_utf8(decode_utf8("a\u00e9\u20ac\U0001F600")) == "a\u00e9\u20ac\U0001F600");
  CHECK(encode_utf8(decode_utf8("a\xff\xe2\x82z")) == "a\ufffd\ufffd\ufffdz");
}
