// Sweeps on a card give what the reference gives. Hidden: tests/emulated_cuda runs them.
#include <filesystem>

#include "app/card_sweep.h"

using namespace kvmend::test;
namespace fs = std::filesystem;

TEST_CASE("a sweep on a card gives the reference's table", "[.card]") {
  const TempFolder folder;
  folder.write("a.yaml", card_config(1));
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const auto expected = results(folder, "reference.kvmend");
  REQUIRE(expected.size() == 6);

  const Emulator report("report=1");
  const auto run = sweep(folder, "cuda", "cuda.kvmend");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(results(folder, "cuda.kvmend") == expected);

  // Where all cells at once do not fit by a little, groups of half of them do.
  const Taken taken = taken_by(run);
  {
    const Emulator small("memory_kib=" + std::to_string(taken.most - 16));
    const auto halved = sweep(folder, "cuda", "halved.kvmend");
    INFO(halved.err);
    REQUIRE(halved.code == 0);
    CHECK(results(folder, "halved.kvmend") == expected);
  }
  // And wherever in the midst of the sweep memory runs out for a moment, with caches on the card or streamed to it.
  for (const char* from : {"device", "host"}) {
    for (const int tenths : {4, 6, 8, 9}) {
      CAPTURE(from, tenths);
      fs::remove(folder.path() / "refused.kvmend");
      const Emulator full("refusals=2,allocations_left=" + std::to_string(taken.allocations * tenths / 10));
      const auto refused = kvmend::test::kvmend(
          {"run", "a.yaml", "--device", "cuda", "-o", "refused.kvmend", "--set", std::string("load_from=") + from},
          folder.path());
      INFO(refused.err);
      REQUIRE(refused.code == 0);
      CHECK(results(folder, "refused.kvmend") == expected);
    }
  }
}

TEST_CASE("a short sweep on a card gives the reference's table, with caches on the card or streamed to it",
          "[.card][short_card]") {
  const TempFolder folder;
  folder.write("q.jsonl", R"({"question": "Who sings?", "answers": ["Ann"], "passages": [)"
                          R"({"text": "Ann sings and Bob digs.", "gold": true}, {"text": "Cy sleeps.", "gold": true}]})"
                          "\n");
  folder.write("a.yaml", "name: tiny\nmodel: " + tiny_model("tiny-llama") +
                             "\nchat: raw\ndtype: f32\ntasks:\n  - qa_custom: {file: q.jsonl, passages: 0, samples: 1, "
                             "seed: 1}\nmax_new_tokens: 3\nchunker: {fixed: 12}\n"
                             "strategies: [full, reuse, cacheblend, prophetkv, agentkvshift]\nratios: [0.25]\n");
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const auto expected = results(folder, "reference.kvmend");
  REQUIRE(expected.size() == 5);
  for (const std::string from : {"device", "host"}) {
    CAPTURE(from);
    const auto run = kvmend::test::kvmend(
        {"run", "a.yaml", "--device", "cuda", "-o", from + ".kvmend", "--set", "load_from=" + from}, folder.path());
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(results(folder, from + ".kvmend") == expected);
  }
}

TEST_CASE("quantised weights kept as stored give the reference's table", "[.card]") {
  const TempFolder folder;
  std::string text = card_config(1);
  const std::string model = tiny_model("tiny-llama");
  text.replace(text.find(model), model.size(), tiny_model("tiny-llama-mixed.gguf"));
  folder.write("a.yaml", text + "weights: stored\n");
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const auto run = sweep(folder, "cuda", "cuda.kvmend");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(results(folder, "cuda.kvmend") == results(folder, "reference.kvmend"));
}
