// `run` and its configs as a newcomer meets them: stores that are gone on with, overlays, first looks, mistakes.
#include <cstdlib>
#include <filesystem>

#include "app/program.h"
#include "catch.h"
#include "paths.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

std::string config(const std::string& model,
                   const std::string& task = "ruler/niah_single_1: {length: 700, samples: 2, seed: 1}") {
  return "name: tiny\nmodel: " + model + "\nchat: raw\ndtype: f32\nmax_new_tokens: 3\ntasks:\n  - " + task +
         "\nchunker: {fixed: 128}\nstrategies: [full, epic]\nratios: [0.2]\n";
}

}  // namespace

TEST_CASE("run says that a store holds the results of other settings, and nothing of a wider grid") {
  const TempFolder folder;
  folder.write("a.yaml", config(tiny_model("tiny-llama")));
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", "a.yaml", "-q"});
    const auto result = kvmend::test::kvmend(more, folder.path());
    CHECK(result.code == 0);
    return result.err;
  };
  CHECK(run({}).empty());
  CHECK(run({"--set", "tasks.*.samples=3", "--set", "strategies=[full, epic, random]", "--set", "ratios=[0.2, 0.5]"})
            .empty());
  const std::string mixed = run({"--set", "max_new_tokens=2", "--set", "tasks.*.length=800"});
  CHECK_THAT(mixed, Contains("kvmend: warning: tiny.kvmend holds results of other settings"));
  CHECK_THAT(mixed, Contains("max_new_tokens is 3 there and 2 now") && Contains("length is 700 there and 800 now"));
  CHECK_THAT(mixed, Contains("-o FILE"));
  CHECK(run({}).empty());  // what is there already adds nothing
}
