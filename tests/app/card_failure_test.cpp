// A card that is missing, lost, faulty or too small: what is said, and what is kept. Hidden: tests/emulated_cuda runs them.
#include "app/card_sweep.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("a card that cannot be used leaves its share to the others", "[.card]") {
  const TempFolder folder;
  folder.write("a.yaml", card_config(2));
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const Emulator one("devices=1");
  const auto run = sweep(folder, "cuda:0,1", "cuda.kvmend");
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK_THAT(run.err, Contains("cuda:1 is not used any more: device 'cuda:1': there is 1 card, numbered from 0"));
  CHECK(results(folder, "cuda.kvmend") == results(folder, "reference.kvmend"));
  CHECK(sweep(folder, "cuda:2,1", "none.kvmend").code == 4);
}

TEST_CASE("two cards have a worker each; one that faults is replaced, and no result is lost", "[.card]") {
  const TempFolder folder;
  folder.write("a.yaml", card_config(2));
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const Emulator faulty("devices=2,launches_left=200,once=" + folder.write("fault", ""));
  const auto run = sweep(folder, "cuda:0,1", "cuda.kvmend");
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK_THAT(run.err, Contains("a fault that a test asked for"));
  CHECK(results(folder, "cuda.kvmend") == results(folder, "reference.kvmend"));
}

TEST_CASE("what was answered before a card was gone is kept, and only the rest is computed again", "[.card]") {
  const TempFolder folder;
  std::string text = card_config(1);
  const std::string all = "[full, no_context, reuse, epic, cacheblend, prophetkv]\nratios: [0.25]";
  const auto with = [&](const std::string& strategies) {
    std::string changed = text;
    folder.write("a.yaml", changed.replace(changed.find(all), all.size(), strategies));
  };
  with("[full, reuse]");
  long long launches = 0;
  {
    const Emulator report("report=1");
    const auto run = sweep(folder, "cuda", "two.kvmend");
    INFO(run.err);
    REQUIRE(run.code == 0);
    launches = taken_by(run).launches;
  }
  with("[full, reuse, random]\nratios: [0.25, 0.5]");
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const auto expected = results(folder, "reference.kvmend");
  REQUIRE(expected.size() == 4);
  // The first worker loses its card in `random` at one ratio. The second answers what has another strategy, and loses it in
  // `random` at the other ratio. There is no card for a third.
  const auto lost = [&](const std::string& devices, const std::string& store) {
    const Emulator faulty("devices=2,launches_left=" + std::to_string(launches) +
                          ",drivers=" + folder.write("drivers", "110"));
    return sweep(folder, devices, store);
  };
  const auto failed_of = [&](const std::string& store, std::size_t cells) {
    const auto found = results(folder, store);
    CHECK(found.size() == cells);
    int failed = 0;
    for (const auto& [cell, result] : found) {
      CAPTURE(store, cell);
      if (result.at("status") == "failed")
        ++failed;
      else
        CHECK(result == expected.at(cell));
    }
    return failed;
  };
  const auto alone = lost("cuda", "alone.kvmend");
  INFO(alone.err);
  CHECK(alone.code == 4);
  CHECK_THAT(alone.err, Contains("device 'cuda': no NVIDIA driver here"));
  CHECK(failed_of("alone.kvmend", 3) == 1);
  const auto resumed = sweep(folder, "cuda", "alone.kvmend");
  INFO(resumed.err);
  CHECK_THAT(resumed.err, Contains("1 results computed, 3 were there"));
  CHECK(failed_of("alone.kvmend", 4) == 1);
  // Another card does the rest, though there were not samples enough to start it before.
  const auto shared = lost("cuda:0,1", "shared.kvmend");
  INFO(shared.err);
  CHECK(shared.code == 5);
  CHECK_THAT(shared.err, Contains("cuda:0 is not used any more: device 'cuda': no NVIDIA driver here"));
  CHECK(failed_of("shared.kvmend", 4) == 1);
}

TEST_CASE("a cell that does not fit the card fails with the numbers, and the rest goes on", "[.card]") {
  const TempFolder folder;
  // The first prompt says what requests take, and the second is eight times as long.
  std::string wall;
  for (int i = 0; i < 26; ++i) wall += " The " + std::to_string(i) + " th stone of the wall is grey and heavy.";
  folder.write("q.jsonl",
               R"({"question": "Who sings?", "answers": ["Ann"], "passages": [{"text": "Ann sings.", "gold": true}]})"
               "\n"
               R"({"question": "Who digs?", "answers": ["Bob"], "passages": [{"text": "Bob digs.)" +
                   wall + R"(", "gold": true}]})" + "\n");
  std::string text = card_config(2);
  const std::string task = "ruler/niah_single_1: {length: 460, samples: 2, seed: 1}";
  folder.write("a.yaml",
               text.replace(text.find(task), task.size(), "qa_custom: {file: q.jsonl, passages: 0, seed: 1}"));
  REQUIRE(sweep(folder, "reference", "reference.kvmend").code == 0);
  const auto expected = results(folder, "reference.kvmend");
  const Emulator small("memory=35");
  const auto run = sweep(folder, "cuda", "cuda.kvmend");
  INFO(run.err);
  CHECK(run.code == 5);
  CHECK_THAT(run.err, Contains("full on qa_custom, sample q2-1-0: not enough memory on emulated card 0: ") &&
                          Contains(" asked for, ") && Contains(" of 35.0 MiB free"));
  int failed = 0;
  for (const auto& [cell, result] : results(folder, "cuda.kvmend")) {
    CAPTURE(cell);
    if (result.at("status") == "failed")
      ++failed;
    else
      CHECK(result == expected.at(cell));
  }
  CHECK(failed >= 1);
  CHECK(failed <= 5);
}

TEST_CASE("a device that is lost again and again costs its cells, and says so", "[.card]") {
  const TempFolder folder;
  folder.write("a.yaml", card_config(1));
  const Emulator faulty("launches_left=200");
  const auto run = sweep(folder, "cuda", "cuda.kvmend");
  INFO(run.err);
  CHECK(run.code == 5);
  CHECK_THAT(run.err, Contains("the device was lost in this cell, twice: cuda: "));
  CHECK_THAT(run.err, Contains("an illegal memory access was encountered (cudaErrorIllegalAddress)"));
}

TEST_CASE("what is missing for a card is said", "[.card]") {
  const TempFolder folder;
  folder.write("a.yaml", card_config(1));
  const auto error = [&](const std::string& emulator, const std::string& device, int code = 4) {
    const Emulator how(emulator);
    const auto run = sweep(folder, device, "cuda.kvmend");
    CHECK(run.code == code);
    return run.err;
  };
  CHECK_THAT(error("no_driver=1", "cuda"), Contains("device 'cuda': no NVIDIA driver here") &&
                                               Contains("install one that supports CUDA 13.0, or use --device cpu"));
  CHECK_THAT(error("old_driver=1", "cuda"), Contains("the driver supports CUDA 11.4, this build needs 13.0; update the "
                                                     "driver, or use --device cpu"));
  CHECK_THAT(error("devices=2", "cuda:2"), Contains("device 'cuda:2': there are 2 cards, numbered from 0"));
  CHECK_THAT(error("devices=2", "cuda:0,0", 2), Contains("device 'cuda:0,0' names cuda:0 twice"));
  CHECK_THAT(error("memory=33", "cuda"), Contains("the weights do not fit on emulated card 0: ") &&
                                             Contains("; 1.0 MiB of 33.0 MiB are free, of which ") &&
                                             Contains(" are kept for work"));
  CHECK_THAT(error("memory=3", "cuda"),
             Contains("not enough memory on emulated card 0: 32.0 MiB asked for, 3.0 MiB of 3.0 MiB free"));
}
