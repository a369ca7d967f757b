// Plans that a selector outside the tree may give and nothing can run: refused by its name, never run half.
#include "core/error.h"
#include "recompute/selector.h"
#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

struct Answers final : Selector {
  explicit Answers(Plan given) : answer(std::move(given)) {}
  Plan plan(Probe&, const Budget&) const override { return answer; }
  Plan answer;
};

/// What a plan makes of a cell: the error, or "" if it ran.
std::string run_plan(const Plan& plan) {
  const RandomModel files(3);
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({5, 12, 9}, true, 4);
  auto what = std::make_shared<Strategy>(*strategy("random"));
  what->info.name = "mine";
  what->selector = std::make_shared<Answers>(plan);
  try {
    run_cell(engine, request, what, 0.5);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

std::string run_pick(std::vector<int> (*change)(std::vector<int> rows)) {
  Plan plan;
  plan.filter.emplace();
  plan.filter->pick = [change](int, std::span<const int> rows, std::span<const float>, std::span<const float>) {
    return change({rows.begin(), rows.end()});
  };
  return run_plan(plan);
}

using Rows = std::vector<int>;

}  // namespace

TEST_CASE("a filter's pick that is no choice of its rows is refused by the strategy's name") {
  CHECK(run_pick([](Rows rows) { return rows; }).empty());
  CHECK(run_pick([](Rows) { return Rows{}; }).empty());
  CHECK(run_pick([](Rows) { return Rows{3, 7, 25}; }).empty());
  const std::string refused = "mine: its filter picks rows at layer 1 that are not sorted, not distinct or not active";
  CHECK(run_pick([](Rows) { return Rows{7, 3}; }) == refused);
  CHECK(run_pick([](Rows) { return Rows{3, 3}; }) == refused);
  CHECK(run_pick([](Rows) { return Rows{3, 26}; }) == refused);  // 26 is the query's
  CHECK(run_pick([](Rows rows) {
          rows.back() = 26;  // as many as there were
          return rows;
        }) == refused);
}

TEST_CASE("a plan's indices and positions outside the request and the model are refused") {
  Plan selects;
  selects.selected = {3, 26};
  CHECK_THAT(run_plan(selects), Contains("mine: its plan selects indices that are not sorted") && Contains("[0, 26)"));
  Plan keeps;
  keeps.kept = Rows{-1, 2};
  CHECK_THAT(run_plan(keeps), Contains("mine: its plan keeps indices"));
  Plan far;
  far.query_position = 509;
  CHECK(run_plan(far) == "mine: its plan puts the query and its answer at positions [509, 513), the model has 512");
  far.query_position = 508;
  CHECK(run_plan(far).empty());
  far.query_position = -1;
  CHECK_THAT(run_plan(far), Contains("positions [-1, 3)"));
}
