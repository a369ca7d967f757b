// A sweep from the shell: computed once, resumed, extended, interrupted, killed, sharded and merged.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"
#include "core/size_text.h"
#include "paths.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

std::string config(int samples, const std::string& more = "") {
  return "name: tiny\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: " + std::to_string(samples) +
         ", seed: 1}\nmax_new_tokens: 6\nchunker: {fixed: 128}\n"
         "strategies: [full, no_context, reuse, epic, cacheblend, prophetkv, random: {seed: [1, 2]}]\n"
         "ratios: [0.1, 0.4]\n" +
         more;
}

/// The export's lines without what a clock decides, sorted: two stores hold the same results if these are equal.
std::vector<std::string> results(const TempFolder& folder, const std::string& store) {
  const auto exported = kvmend::test::kvmend({"export", store}, folder.path());
  REQUIRE(exported.code == 0);
  std::vector<std::string> lines;
  std::istringstream in(exported.out);
  for (std::string line; std::getline(in, line);) {
    auto json = nlohmann::json::parse(line);
    for (const char* timed : {"seconds", "decode_seconds", "shared_timing"}) json.erase(timed);
    lines.push_back(json.dump());
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// Waits until a run started with -v has stored its first sample.
void wait_for_first_sample(Program& run) {
  for (int tries = 0; tries < 6000 && run.running(); ++tries) {
    if (run.err_so_far().find("kvmend: stored ") != std::string::npos) return;
    ::usleep(10000);
  }
  FAIL("no sample was stored: " << run.err_so_far());
}

}  // namespace

TEST_CASE("a sweep is computed once; more samples compute only the new ones; a table comes out") {
  const TempFolder folder;
  folder.write("a.yaml", config(2));
  const auto first = kvmend::test::kvmend({"run", "a.yaml"}, folder.path());
  INFO(first.err);
  REQUIRE(first.code == 0);
  // full, no_context, reuse once; epic, cacheblend, prophetkv, two randoms at two ratios each
  CHECK_THAT(first.err, Contains("26 results computed, 0 were there"));
  CHECK_THAT(kvmend::test::kvmend({"run", "a.yaml"}, folder.path()).err, Contains("0 results computed, 26 were there"));
  CHECK_THAT(kvmend::test::kvmend({"run", "a.yaml", "--set", "tasks.*.samples=3"}, folder.path()).err,
             Contains("13 results computed, 26 were there"));
  const auto table = kvmend::test::kvmend({"table", "tiny.kvmend"}, folder.path());
  CHECK(table.code == 0);
  for (const char* name : {"full", "no_context", "prophetkv", "cacheblend", "random"})
    CHECK_THAT(table.out, Contains(name));
  const auto json = kvmend::test::kvmend({"table", "tiny.kvmend", "--json"}, folder.path());
  CHECK(nlohmann::json::parse(json.out).size() > 5);
  CHECK(json.out == kvmend::test::kvmend({"table", "tiny.kvmend", "--format", "json"}, folder.path()).out);
  CHECK(kvmend::test::kvmend({"table", "tiny.kvmend", "--json", "--format", "csv"}, folder.path()).code == 2);
}

TEST_CASE("a mask that only reproduces released numbers is warned of once, by run, by --dry-run and by select") {
  const TempFolder folder;
  folder.write(
      "a.yaml",
      "name: tiny\nmodel: " + tiny_model("tiny-llama") +
          "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 1}\n"
          "max_new_tokens: 2\nchunker: {fixed: 128}\nstrategies: [epic, cacheblend_lmcache]\nratios: [0.1, 0.4]\n");
  const auto warned_once = [](const ProgramResult& result, const std::string& where) {
    INFO(result.err);
    CHECK(result.code == 0);
    const std::string warning = "kvmend: warning: " + where + "cacheblend_lmcache: mask bottom_right lets ";
    const auto at = result.err.find(warning);
    REQUIRE(at != std::string::npos);
    CHECK(result.err.find("bottom_right", at + warning.size()) == std::string::npos);
  };
  warned_once(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()), "a.yaml:9:20: ");
  warned_once(kvmend::test::kvmend({"run", "a.yaml", "--dry-run"}, folder.path()), "a.yaml:9:20: ");
  const std::string request =
      R"({"prefix": "Some facts. ", "chunks": ["The sky is blue. ", "Grass is green. "], "query": "?"})";
  warned_once(kvmend::test::kvmend({"select", "--model", tiny_model("tiny-llama"), "--request", "-", "--strategy",
                                    "cacheblend_lmcache", "--ratio", "0.2,0.5"},
                                   ".", request),
              "");
}

TEST_CASE("--dry-run says what a shard computes and what it takes of memory, and guesses no time for a card") {
  const TempFolder folder;
  folder.write("a.yaml", config(5));
  const auto dry = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run", "a.yaml", "--dry-run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = kvmend::test::kvmend(arguments, folder.path());
    INFO(result.err);
    CHECK(result.code == 0);
    return result.out;
  };
  const auto number = [](const std::string& text, const std::string& before, const std::string& after) {
    std::smatch found;
    INFO(text);
    REQUIRE(std::regex_search(text, found, std::regex(before + "([0-9.e+]+)" + after)));
    return std::stod(found[1].str());
  };
  const std::string whole = dry({});
  CHECK_THAT(whole, Contains(": 5 samples × 13 cells = 65 results") && Contains(" at 100 GFLOP/s"));
  const std::string first = dry({"--shard", "1/4"});
  CHECK_THAT(first, Contains(": 2 samples of 5 (shard 1/4) × 13 cells = 26 results"));
  CHECK_THAT(dry({"--shard", "2/4"}), Contains(": 1 samples of 5 (shard 2/4) × 13 cells"));
  CHECK_THAT(dry({"--shard", "2/2", "--limit", "1"}), Contains(": 0 samples of 1 (shard 2/2) × 13 cells"));
  const auto flops = [&](const std::string& text) { return number(text, "answers are: [0-9.e+]+ to ", " FLOPs"); };
  CHECK(flops(whole) / flops(first) == Approx(2.5).epsilon(0.02));

  const double tokens = number(whole, "first prompt: ", " tokens") + 6;  // and the answer
  CHECK(number(whole, "a request of ", " tokens") == tokens);
  // 190,464 weights; by hand from the model's shape: a base and an overlay of the cache and three layers on their way to a
  // card, rows on their way up, a block's MLP (all rows: they are fewer than 2048), a batch's logits and attention.
  const double request = tokens * (2 * 768 + 3 * 256 + 4 * (96 + 2 * 96) + 4 * (2 * 64 + 2 * 96 + 96 + 2 * 32)) +
                         16 * 4 * (320 + 6 * (16 + 2));
  CHECK_THAT(whole, Contains("about 744.0 KiB of weights in f32 and " + kvmend::size_text(request) + " for a request"));
  CHECK_THAT(whole, Contains("0.8 KiB a token"));

  const std::string card = dry({"--device", "cuda:0,1"});
  CHECK_THAT(card, Contains("not known for a card") && Contains("as the file stores them") &&
                       Contains("on each of 2 devices"));
  CHECK_THAT(card, !Contains("GFLOP/s"));
}

TEST_CASE("alone, in a sweep, killed and resumed, and sharded: the same results") {
  const TempFolder folder;
  folder.write("a.yaml", config(8));
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-o", "whole.kvmend", "-q"}, folder.path()).code == 0);
  const auto whole = results(folder, "whole.kvmend");
  REQUIRE(whole.size() == 104);

  SECTION("shards, merged") {
    REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-o", "1.kvmend", "--shard", "1/2"}, folder.path()).code == 0);
    REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-o", "2.kvmend", "--shard", "2/2"}, folder.path()).code == 0);
    const auto merged = kvmend::test::kvmend({"merge", "both.kvmend", "2.kvmend", "1.kvmend"}, folder.path());
    INFO(merged.err);
    REQUIRE(merged.code == 0);
    CHECK(results(folder, "both.kvmend") == whole);
  }
  SECTION("one strategy alone") {
    REQUIRE(kvmend::test::kvmend(
                {"run", "a.yaml", "-o", "one.kvmend", "--set", "strategies=[prophetkv]", "--set", "ratios=[0.4]"},
                folder.path())
                .code == 0);
    for (const std::string& line : results(folder, "one.kvmend"))
      CHECK(std::count(whole.begin(), whole.end(), line) == 1);
  }
  SECTION("killed, then resumed") {
    for (int kills = 0; kills < 2; ++kills) {
      Program run({"run", "a.yaml", "-o", "killed.kvmend", "-v"}, folder.path());
      wait_for_first_sample(run);
      ::kill(run.pid(), SIGKILL);
      CHECK(run.wait().code == -SIGKILL);
    }
    const auto resumed = kvmend::test::kvmend({"run", "a.yaml", "-o", "killed.kvmend"}, folder.path());
    INFO(resumed.err);
    REQUIRE(resumed.code == 0);
    std::smatch found;
    REQUIRE(std::regex_search(resumed.err, found, std::regex("(\\d+) results computed, (\\d+) were there")));
    CHECK(std::stoi(found[2].str()) >= 26);  // a sample of each run that was killed, with all of its cells
    CHECK(std::stoi(found[1].str()) + std::stoi(found[2].str()) == 104);
    CHECK(results(folder, "killed.kvmend") == whole);
  }
}

TEST_CASE("a sweep goes on in a store without its texts, and adds none") {
  const TempFolder folder;
  folder.write("a.yaml", config(2));
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
  const auto merged =
      kvmend::test::kvmend({"merge", "--redact", "ruler/niah_single_1", "public.kvmend", "tiny.kvmend"}, folder.path());
  CHECK(merged.code == 0);
  CHECK_THAT(merged.err, Contains("public.kvmend: has no texts of ruler/niah_single_1"));
  const auto more =
      kvmend::test::kvmend({"run", "a.yaml", "-o", "public.kvmend", "--set", "tasks.*.samples=3"}, folder.path());
  CHECK(more.code == 0);
  CHECK_THAT(more.err, Contains("13 results computed, 26 were there") &&
                           Contains("public.kvmend: stores no texts of ruler/niah_single_1"));
  const auto shown =
      kvmend::test::kvmend({"show", "public.kvmend", "niah_single_1-1-2", "--text", "all"}, folder.path());
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("____") && !Contains("magic"));
}

TEST_CASE("SIGTERM and Ctrl-C end after the sample in flight, and the same command goes on") {
  for (const int signal : {SIGTERM, SIGINT}) {
    const TempFolder folder;
    folder.write("a.yaml", config(200));
    Program run({"run", "a.yaml", "-v", "--notify", "echo $KVMEND_STATUS > told"}, folder.path());
    wait_for_first_sample(run);
    ::kill(run.pid(), signal);
    const auto stopped = run.wait();
    CHECK(stopped.code == 130);
    CHECK(kvmend::read_file(folder.path() / "told") == "interrupted\n");
    CHECK_THAT(stopped.err, Contains("the same command goes on from here"));
    CHECK(kvmend::test::kvmend({"run", "a.yaml", "--limit", "2", "-q"}, folder.path()).code == 0);
  }
}

TEST_CASE("a worker that dies costs its cell an error; the sample is retried without it and the sweep goes on") {
  const TempFolder folder;
  folder.write("a.yaml", config(12));
  Program run({"run", "a.yaml", "-v", "--notify", "echo $KVMEND_STATUS > told"}, folder.path());
  const pid_t worker = child_of(run.pid());
  REQUIRE(worker > 0);
  wait_for_first_sample(run);
  ::kill(worker, SIGSEGV);
  const auto done = run.wait();
  INFO(done.err);
  CHECK(done.code == 5);
  CHECK_THAT(done.err, Contains("1 results failed") && Contains("the worker died in this cell: signal 11") &&
                           Contains(" on ruler/niah_single_1, sample niah_single_1-1-"));
  CHECK(kvmend::read_file(folder.path() / "told") == "failed\n");
  CHECK(results(folder, "tiny.kvmend").size() == 12 * 13);
  const auto again = kvmend::test::kvmend({"run", "a.yaml", "--retry-failed"}, folder.path());
  CHECK(again.code == 0);
  CHECK_THAT(again.err, Contains("1 results computed"));
}

TEST_CASE("a terminal sees results, samples and the cell at work") {
  if (std::system("script -qec true /dev/null > /dev/null 2>&1 < /dev/null") != 0) {
    WARN("SKIPPED: no pseudo-terminal, or no script (bsdutils) to make one");
    return;
  }
  const TempFolder folder;
  folder.write("a.yaml", config(12));
  // What is at work five times a second depends on the machine: a fast one ends 156 results between two drawings.
  const std::regex cell("sample \\d+: (full|no_context|reuse|epic|cacheblend|prophetkv|random)");
  std::string seen;
  for (int samples = 12; samples <= 768 && !std::regex_search(seen, cell); samples *= 4) {
    const std::string run =
        kvmend::binary_folder() + "/bin/kvmend run a.yaml --set tasks.*.samples=" + std::to_string(samples);
    REQUIRE(std::system(("cd " + folder.path().string() + " && script -qec 'stty cols 200; " + run +
                         "' seen > /dev/null < /dev/null")
                            .c_str()) == 0);
    seen += kvmend::read_file(folder.path() / "seen");
  }
  CHECK_THAT(seen, Contains("/156 results  ") && Contains("/12 samples  ") && Contains("ruler/niah_single_1 sample "));
  CHECK(std::regex_search(seen, cell));
}

TEST_CASE("--notify tells of a run that cannot start, too, and a failing command costs a warning only") {
  const TempFolder folder;
  folder.write("a.yaml", config(1));
  const auto refused = kvmend::test::kvmend(
      {"run", "a.yaml", "--set", "model=none.gguf", "--notify", "echo $KVMEND_STATUS > told"}, folder.path());
  CHECK(refused.code == 3);
  CHECK(kvmend::read_file(folder.path() / "told") == "error\n");
  folder.write("b.yaml", config(1));
  const auto done = kvmend::test::kvmend({"run", "b.yaml", "-q", "--notify", "exit 3"}, folder.path());
  CHECK(done.code == 0);
  CHECK_THAT(done.err, Contains("warning: --notify command failed: exit 3"));
}

TEST_CASE("a second writer on one store is refused, readers are not") {
  const TempFolder folder;
  folder.write("a.yaml", config(200));
  Program run({"run", "a.yaml", "-v"}, folder.path());
  wait_for_first_sample(run);
  const auto second = kvmend::test::kvmend({"run", "a.yaml"}, folder.path());
  CHECK(second.code == 2);
  CHECK_THAT(second.err, Contains("tiny.kvmend"));
  CHECK(kvmend::test::kvmend({"table", "tiny.kvmend"}, folder.path()).code == 0);
  ::kill(run.pid(), SIGTERM);
  run.wait();
}
