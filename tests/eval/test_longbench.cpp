#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.h"
#include "core/error.h"
#include "eval/difflib.h"
#include "eval/jieba.h"
#include "eval/metric.h"
#include "eval/text.h"
#include "paths.h"
#include "support/read_gz.h"

using namespace kvmend;
using nlohmann::json;

namespace {

std::string eval_data(const std::string& name) { return source_folder() + "/tests/data/eval/" + name; }

/// A dictionary of ours, unless scripts/test-full names jieba's.
[[maybe_unused]] const int named = setenv("KVMEND_JIEBA", eval_data("jieba-tiny").c_str(), 0);

/// Compares [metric, prediction, references, classes, score] lines with ours and [text, words] lines with `jieba`.
/// Returns how many lines each metric had.
std::map<std::string, int> check_golden(const std::string& file, const Jieba& jieba) {
  std::map<std::string, int> cases;
  std::istringstream lines(read_gz(eval_data(file)));
  for (std::string line; std::getline(lines, line);) {
    const json row = json::parse(line);
    if (row.size() == 2) {
      ++cases["words"];
      const auto words = jieba.cut(row[0].get<std::string>());
      if (words != row[1].get<std::vector<std::string>>()) {
        INFO(line);
        CHECK(words == row[1].get<std::vector<std::string>>());
      }
      continue;
    }
    const std::string metric = row[0];
    ++cases[metric];
    const double ours = find_metric(metric).score(row[1].get<std::string>(), row[2], row[3]);
    if (!(std::abs(ours - row[4].get<double>()) <= 1e-9)) {
      INFO(line);
      CHECK(ours == row[4].get<double>());
    }
  }
  return cases;
}

double score(const char* metric, const std::string& prediction, const std::vector<std::string>& references,
             const std::vector<std::string>& classes = {}) {
  return find_metric(metric).score(prediction, references, classes);
}

}  // namespace

TEST_CASE("LongBench's scores equal those of rouge, jieba, fuzzywuzzy and a second implementation") {
  const auto cases = check_golden("longbench.jsonl.gz", Jieba::standard());
  for (const char* metric : {"rouge_l", "f1_zh", "rouge_l_zh", "classification", "classification_strict", "count",
                             "retrieval", "retrieval_zh", "code_similarity"}) {
    INFO(metric);
    REQUIRE(cases.contains(metric));
    CHECK(cases.at(metric) >= 700);
  }
}

TEST_CASE("Chinese words are jieba's, with a dictionary of ours") {
  CHECK(check_golden("jieba-tiny.jsonl.gz", Jieba(eval_data("jieba-tiny"))).at("words") == 2500);
}

// scripts/test-full jieba fetches the dictionary.
TEST_CASE("Chinese words are jieba's, with its own dictionary", "[.jieba]") {
  const auto cases = check_golden("jieba.jsonl.gz", Jieba::standard());
  CHECK(cases.at("words") == 2000);
  CHECK(cases.at("f1_zh") == 500);
  CHECK(cases.at("rouge_l_zh") == 500);
}

TEST_CASE("LongBench's scores by hand") {
  CHECK(score("classification", "Type: Human being", {"Human being"}, {"Human", "Human being", "Date"}) == 1);
  // "b" follows the dropped "a", so upstream never looks at it.
  CHECK(score("classification", "a b abc", {"abc"}, {"a", "b", "abc"}) == 0.5);
  CHECK(score("classification_strict", "a b abc", {"abc"}, {"a", "b", "abc"}) == 1);
  CHECK(score("count", "There are 12, or 12 or 13.", {"12"}) == Approx(2.0 / 3));
  CHECK(score("count", "none", {"12"}) == 0);
  CHECK(score("retrieval", "Paragraph 3 or 4", {"Paragraph 3"}) == 0.5);
  CHECK(score("retrieval", "Paragraph 3", {"no number"}) == 0);
  CHECK(score("retrieval_zh", "\u6bb5\u843d3", {"\u6bb5\u843d3"}) == 1);
  CHECK(score("code_similarity", "# comment\nreturn x", {"return x"}) == 1);
  CHECK(score("code_similarity", "return y", {"return x"}) == Approx(0.88));  // 87.5 rounds to even
  CHECK(matching_ratio(U"abcd", U"bcde") == Approx(0.75));
  CHECK(matching_ratio(U"", U"") == 1);
  // A character that fills over 1 % of a long text starts no block: difflib's own example of surprise.
  CHECK(matching_ratio(U"b" + std::u32string(199, U'a'), std::u32string(200, U'a')) == 0);
  CHECK(normalize_chinese("\u300aA \u3001b\u300b\u3000C.") == "\u300aabc");
}

TEST_CASE("a dictionary that is missing or malformed is named") {
  std::string name = (std::filesystem::temp_directory_path() / "kvmend-jieba-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(name.data());
  const auto write = [&](const char* file, const std::string& text) { std::ofstream(folder / file) << text; };
  const auto error = [&] {
    try {
      const Jieba read(folder);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::data);
      const std::string what = e.what();
      return what.starts_with(name + "/") ? what.substr(name.size() + 1) : what;
    }
    return std::string("no error");
  };
  CHECK(error().find("dict.txt") != std::string::npos);
  write("dict.txt", "\u4e2d\u56fd 3 n\n\u4e2d\n");
  CHECK(error() == "dict.txt:2: expected 'word frequency tag'");
  write("dict.txt", "\u4e2d\u56fd 3x n\n");
  CHECK(error() == "dict.txt:1: expected 'word frequency tag'");
  write("dict.txt", "\u4e2d\u56fd 3 n\r\n");
  CHECK(error().find("prob_start.py") != std::string::npos);
  write("prob_start.py", "P={'B': -0.5,\n 'Q': 1}");
  CHECK(error() == "prob_start.py:2: a state is none of B, E, M, S; not a table of jieba's?");
  write("prob_start.py", "P={'B': -0.5, 'E': x}");
  CHECK(error() == "prob_start.py:1: expected a number; not a table of jieba's?");
  write("prob_start.py", "P={'B': -0.5, 'S': -1}");
  write("prob_trans.py", "P={'B': {'E': -0.5}}");
  std::filesystem::create_directory(folder / "finalseg");
  write("finalseg/prob_emit.py", "P={'S': {'\\u4e2d': -2.5, '\u56fd': -3e+1}}");
  CHECK(error() == "no error");
  CHECK(Jieba(folder).cut("\u4e2d\u56fd\u4e2d a1\r\n") ==
        std::vector<std::string>{"\u4e2d\u56fd", "\u4e2d", " ", "a1", "\r\n"});
  std::filesystem::remove_all(folder);
}
