// What is not mixed into one comparison with a paper: lengths, prompts, models, chunkers.
#include "catch.h"
#include "experiment/compare/against.h"
#include "graded.h"
#include "published_paper.h"

using namespace kvmend;

TEST_CASE("lengths of a task are not averaged for a claim") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {length: [2048, 4096], samples: 30}]\nstrategies: [full, no_context]\n");
  const TableData data = load_table_data({store.path});
  const Against mixed = set_against(data, {}, published());
  CHECK(mixed.claims[0].verdict == Verdict::not_tested);
  CHECK(mixed.claims[0].reason ==
        "ruler/vt was run in several variants (ruler/vt (length: 2048); ruler/vt (length: 4096)): choose with --where");
  CHECK(mixed.values[1].reason == mixed.claims[0].reason);
  const Against chosen = set_against(data, {{"length", "4096"}}, published());
  CHECK(chosen.claims[0].difference->n == 30);
  CHECK(chosen.claims[0].tasks == 1);
}

TEST_CASE("runs over other prompts of one task are variants of it, and no pairs") {
  const std::string config = "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 30}]\n";
  const std::string both = config + "strategies: [full, no_context]\n", longer = "max_new_tokens: 64\n";
  const Filled store(both + "max_new_tokens: 32\n");
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, both + longer, 0, 30, graded_result);
  }
  const TableData data = load_table_data({store.path});
  const Against mixed = set_against(data, {}, published());
  CHECK(mixed.claims[0].reason ==
        "ruler/vt was run in several variants (ruler/vt (max_new_tokens: 32); ruler/vt (max_new_tokens: 64)): choose "
        "with --where");
  CHECK(mixed.values[1].reason == mixed.claims[0].reason);
  CHECK(set_against(data, {{"max_new_tokens", "64"}}, published()).claims[0].difference->n == 30);
  const Filled apart(config + "strategies: [full]\n");
  {
    Store more = Store::open(apart.path, Store::Mode::write);
    fill_store(more, config + longer + "strategies: [no_context]\n", 0, 30, graded_result);
  }
  const Against none = set_against(load_table_data({apart.path}), {}, published());
  CHECK(none.claims[0].verdict == Verdict::not_tested);
  CHECK(none.claims[0].reason == "no sample in common");
}

TEST_CASE("a prompt's BOS and answer space are dimensions, so that --where can choose them") {
  const std::string config =
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nstrategies: [full, epic]\nratios: [0.2]\n";
  const Filled store(config, 4);
  {
    Store more = Store::open(store.path, Store::Mode::write);
    fill_store(more, config + "sink: keep_bos\nkeep_answer_space: true\n", 0, 4);
  }
  const Table table = store.table();
  CHECK(table.row_dimensions == std::vector<std::string>{"strategy", "keep_bos"});
  for (const char* name : {"keep_bos", "keep_answer_space"})
    CHECK(store.table({{"strategy"}, {"ratio"}, {"n"}, {{name, "true"}}}).rows.size() == 2);
}

TEST_CASE("results over several models or chunkers are not mixed into one comparison") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nchunker: [{fixed: 64}, {fixed: 128}]\nstrategies: [full]\n",
      4);
  const TableData data = load_table_data({store.path});
  CHECK_THROWS_WITH(set_against(data, {}, published()), Catch::Contains("--against compares one chunker; choose with"));
  CHECK(set_against(data, {{"chunker", "fixed: 64"}}, published()).values[1].ours->n == 4);
}
