#include "catch.h"
#include "core/error.h"
#include "experiment/report/sample_view.h"
#include "experiment/selection/token_paint.h"
#include "synthetic.h"

using namespace kvmend;
using Catch::Contains;

namespace {

std::string error_of(Store& store, const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& where = {}) {
  try {
    load_sample_view(store, name, where);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a sample's view says where each cell's budget went") {
  const TempFolder folder;
  Store store = Store::open(folder.path() / "s.kvmend", Store::Mode::write);
  fill_store(store, synthetic_config, 0, 4);
  const SampleView view = load_sample_view(store, "vt-42-1");
  CHECK(view.sample.position == 1);
  CHECK(view.evidence_tokens == 2);  // tokens 3 and 4, both in the first chunk
  CHECK(view.evidence_in(view.sample.units[1]) == 2);
  CHECK(view.evidence_in(view.sample.units[2]) == 0);
  CHECK(view.unit_name(0) == "prefix");
  CHECK(view.unit_name(2) == "chunk 2");
  CHECK(view.text(2, 4) == " c d");
  CHECK(view.text(4, 4).empty());
  REQUIRE(view.cells.size() == 8);  // full, no_context, two randoms and prophetkv at two ratios
  for (const CellView& cell : view.cells) {
    const int n = cell.cell.ratio ? static_cast<int>(*cell.cell.ratio * 10) : cell.cell.strategy == "full" ? 10 : 0;
    CHECK(cell.use.in_unit == std::vector<int>{std::min(n, 2), std::clamp(n - 2, 0, 4), std::clamp(n - 6, 0, 4)});
    CHECK(cell.use.evidence == std::clamp(n - 3, 0, 2));
  }
  CHECK(load_sample_view(store, "vt-42-1", {{"strategy", "prophetkv"}, {"ratio", "0.2"}}).cells.size() == 1);
  CHECK(load_sample_view(store, "vt-42-1", {{"ratio", "0.2"}, {"ratio", "0.5"}}).cells.size() == 6);
  // As tables take them: a number however it is written, a registered name for all of its variants.
  CHECK(load_sample_view(store, "vt-42-1", {{"strategy", "prophetkv"}, {"ratio", "0.20"}}).cells.size() == 1);
  CHECK(load_sample_view(store, "vt-42-1", {{"strategy", "random"}}).cells.size() == 4);
  CHECK_THAT(error_of(store, "vt-42-1", {{"ratio", "0.21"}}), Contains("no cell has ratio '0.21'"));
}

TEST_CASE("of reordered chunks a view has the tokens and scores of the text as it stands") {
  const TempFolder folder;
  Store store = Store::open(folder.path() / "s.kvmend", Store::Mode::write);
  fill_store(
      store,
      "name: s\nmodel: tiny\ntasks: [ruler/vt: {samples: 1}]\nstrategies: [infoflow_reorder, epic]\nratios: [0.3]\n", 0,
      1, [](const CellRecord& cell, int position) {
        ResultRecord r = synthetic_result(cell, position);
        r.outcome.selected = {1, 3, 7};
        r.outcome.scores = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
        r.outcome.kept = {0, 1, 2, 3, 4};
        if (cell.strategy == "epic") return r;
        r.outcome.order = {1, 0};  // 2 to 5 are tokens 6 to 9 of the text, 6 to 9 are 2 to 5
        r.outcome.selected = {1, 2, 7};
        r.outcome.selected_original = {1, 3, 6};
        return r;
      });
  const SampleView view = load_sample_view(store, "vt-42-0");
  REQUIRE(view.cells.size() == 2);
  const CellView& reordered = view.cells[0];
  CHECK(reordered.given.selected == std::vector<int>{1, 3, 6});
  CHECK(reordered.given.scores == std::vector<float>{0, 1, 6, 7, 8, 9, 2, 3, 4, 5});
  CHECK(reordered.given.kept == std::vector<int>{0, 1, 6, 7, 8});
  CHECK(reordered.use.in_unit == std::vector<int>{1, 1, 1});
  CHECK(reordered.use.evidence == 1);                                     // token 3
  CHECK(reordered.result.outcome.selected == std::vector<int>{1, 2, 7});  // what --json prints
  const CellView& plain = view.cells[1];
  CHECK(plain.given.selected == plain.result.outcome.selected);
  CHECK(plain.given.scores == plain.result.outcome.scores);
  CHECK(plain.use.in_unit == std::vector<int>{1, 1, 1});
  CHECK(plain.use.evidence == 1);
  const auto marks =
      token_marks(10, reordered.given.selected, &*reordered.given.kept, view.sample.evidence, reordered.given.scores);
  CHECK(marks[3].selected);
  CHECK(marks[5].heat == 4);  // the best score, the last of the new order, is the first chunk's last token
  CHECK(marks[9].heat == 0);

  Outcome wrong = reordered.result.outcome;
  wrong.order = {0, 0};
  CHECK_THROWS_WITH(as_given(wrong, view.sample.units), Contains("names each of the 2 chunks once"));
}

TEST_CASE("a sample that is not there, or not the only one, is refused with what to try") {
  const TempFolder folder;
  Store store = Store::open(folder.path() / "s.kvmend", Store::Mode::write);
  CHECK_THAT(error_of(store, "vt-42-1"), Contains("holds no samples yet"));
  fill_store(store, synthetic_config, 0, 4);
  CHECK_THAT(error_of(store, "vt-42-9"), Contains("no sample 'vt-42-9'; did you mean 'vt-42-"));
  CHECK_THAT(error_of(store, "zzz"), Contains("it holds 8, from niah_single_1-42-0 to vt-42-3"));
  CHECK_THAT(error_of(store, "42-1"), Contains("niah_single_1-42-1 and vt-42-1"));
  CHECK_THAT(error_of(store, "vt-42-1", {{"strategie", "full"}}),
             Contains("unknown dimension 'strategie'; did you mean"));
  CHECK_THAT(error_of(store, "vt-42-1", {{"strategy", "profetkv"}}), Contains("did you mean 'prophetkv'?"));
  CHECK_THAT(error_of(store, "vt-42-1", {{"strategy", "full"}, {"ratio", "0.2"}}), Contains("no result of sample"));

  fill_store(store, synthetic_config + "chunker: {fixed: 64}\n", 0, 1);
  const std::string ambiguous = error_of(store, "vt-42-0");
  CHECK_THAT(ambiguous, Contains("2 different prompts") && Contains("--where 'chunker=fixed: 64'"));
  CHECK(load_sample_view(store, "vt-42-0", {{"chunker", "fixed: 64"}}).cells.size() == 8);
}
