// Scores from files, through the whole program: what is wrong with them is said before a sweep begins.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// The strategy stands in line 9.
std::string config(int samples, const std::string& path) {
  return "name: bad\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: raw\ntasks: [ruler/niah_single_1: {length: 900, seed: 1, samples: " + std::to_string(samples) +
         "}]\nchunker: {fixed: 128}\nratios: [0.2]\nstrategies:\n  - epic\n  - from_file: {path: " + path +
         "}\nmax_new_tokens: 2\n";
}

/// Tokens of each sample's context.
std::vector<int> context_sizes(int samples) {
  std::istringstream lines(kvmend::test::kvmend({"sample", "ruler/niah_single_1", "--model", tiny_model("tiny-llama"),
                                                 "--chat", "raw", "--chunker", "fixed: 128", "--set", "length=900",
                                                 "--set", "seed=1", "-n", std::to_string(samples)})
                               .out);
  std::vector<int> out;
  for (std::string line; std::getline(lines, line);) out.push_back(nlohmann::json::parse(line).at("n_context"));
  REQUIRE(out.size() == static_cast<std::size_t>(samples));
  return out;
}

/// A line of scores of sample i.
std::string row(int i, int size) {
  const std::vector<float> scores(static_cast<std::size_t>(size), 0.5F);
  return nlohmann::json{{"id", "niah_single_1-1-" + std::to_string(i)}, {"scores", scores}}.dump() + "\n";
}

}  // namespace

TEST_CASE("scores that are broken or too few are refused before the sweep, with their place") {
  const TempFolder folder;
  const auto run = [&](const std::string& path, int code) {
    folder.write("bad.yaml", config(2, path));
    const auto result = kvmend::test::kvmend({"run", "bad.yaml", "-q"}, folder.path());
    CAPTURE(path, result.err);
    CHECK(result.code == code);
    CHECK(fs::exists(folder.path() / "bad.kvmend") == (code == 0));
    return result.err;
  };
  const std::vector<int> tokens = context_sizes(2);
  const auto npy = [](int n) {  // as numpy.save writes it
    const std::string dictionary =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(n) + ",), }\n";
    return std::string("\x93NUMPY\x01") + '\0' + static_cast<char>(dictionary.size()) + '\0' + dictionary +
           std::string(4 * static_cast<std::size_t>(n), '\0');
  };
  const std::string all = std::to_string(tokens[1]);
  folder.write("s.jsonl", row(0, tokens[0]) + row(1, tokens[1] - 1));
  CHECK_THAT(run("s.jsonl", 3), Contains("bad.yaml:9:5: s.jsonl:2:1: sample 'niah_single_1-1-1' has " +
                                         std::to_string(tokens[1] - 1) + " scores, its context " + all + " tokens"));
  fs::create_directory(folder.path() / "n");
  folder.write("n/niah_single_1-1-0.npy", npy(tokens[0]));
  CHECK_THAT(run("n", 3), Contains("bad.yaml:9:5: n: no scores for 1 of 2 samples, the first is 'niah_single_1-1-1'"));
  folder.write("n/niah_single_1-1-1.npy", "no such thing");
  CHECK_THAT(run("n", 3), Contains("bad.yaml:9:5: n/niah_single_1-1-1.npy: not a .npy file"));
  folder.write("n/niah_single_1-1-1.npy", npy(tokens[1]).substr(0, 100));
  CHECK_THAT(run("n", 3), Contains("bad.yaml:9:5: n/niah_single_1-1-1.npy: its size does not match its shape"));
  folder.write("n/niah_single_1-1-1.npy", npy(7));
  CHECK_THAT(run("n", 3), Contains("bad.yaml:9:5: n/niah_single_1-1-1.npy: sample 'niah_single_1-1-1' has 7 scores, "
                                   "its context " +
                                   all + " tokens"));
  folder.write("n/niah_single_1-1-1.npy", npy(tokens[1]));
  run("n", 0);
}

TEST_CASE("select ends with the exit code of what failed: a broken score file is a data file, no wrong command") {
  const TempFolder folder;
  folder.write("s.jsonl", "{\"id\": \"\", \"scores\": [1, 2]}\n");
  const auto result = kvmend::test::kvmend({"select", "--model", tiny_model("tiny-llama"), "--request", "-",
                                            "--strategy", "from_file: {path: s.jsonl}", "-q"},
                                           folder.path(), R"({"prefix": "a", "chunks": ["b c"], "query": "d"})");
  CHECK(result.code == 3);
  CHECK_THAT(result.err, Contains("has 2 scores, its context"));
}

TEST_CASE("a score file is looked up in its config's folder, then in the working directory") {
  const TempFolder folder;
  fs::create_directory(folder.path() / "sub");
  folder.write("sub/ff.yaml", config(1, "s.jsonl"));
  const auto run = [&] { return kvmend::test::kvmend({"run", "sub/ff.yaml", "-q", "-o", "s.kvmend"}, folder.path()); };
  auto result = run();
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("sub/ff.yaml:9:16: s.jsonl: no such score file or folder (neither in sub nor here)"));
  folder.write("s.jsonl", row(0, 3));
  result = run();
  CHECK(result.code == 3);
  CHECK_THAT(result.err, Contains("sub/ff.yaml:9:5: s.jsonl:1:1: sample"));
  folder.write("sub/s.jsonl", row(0, 4));  // goes before the other one
  CHECK_THAT(run().err, Contains("sub/ff.yaml:9:5: sub/s.jsonl:1:1: sample 'niah_single_1-1-0' has 4 scores"));
  folder.write("sub/s.jsonl", row(0, context_sizes(1)[0]));
  result = run();
  INFO(result.err);
  CHECK(result.code == 0);  // the workers find it too
}
