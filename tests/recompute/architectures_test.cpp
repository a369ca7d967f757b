// What an architecture refuses, and what its windows do to attention probes.
#include <set>

#include "catch.h"
#include "core/error.h"
#include "support/cell_case.h"
#include "support/plain_model.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

Value one(const char* key, Value value) {
  Value out{Value::Map{}};
  out.set(key, std::move(value));
  return out;
}

}  // namespace

TEST_CASE("with learned positions every strategy that moves caches is refused, and the others are exact") {
  const RandomModel files = random_model("gpt2");
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({9, 20, 15}, true, 7);
  const auto full = run_cell(engine, request, strategy("full"), 1);
  CHECK(full.outcome.flops_ratio == Approx(1.0));
  CHECK(largest_difference(run_cell(engine, request, strategy("prefix"), 1).logits, full.logits) < 1e-3);
  std::vector<std::string> allowed;
  const std::set<std::string> need_parameters{"cacheclip", "combine", "from_file", "speccache"};
  for (const auto& info : list_strategies()) {
    CAPTURE(info.name);
    if (!info.moves_keys) {
      allowed.push_back(info.name);
      CHECK_NOTHROW(check_strategy(*strategy(info.name), files.config()));
    } else if (need_parameters.count(info.name) == 0) {
      CHECK_THROWS_WITH(check_strategy(*strategy(info.name), files.config()),
                        Contains(info.name + ": gpt2 models learn their positions") && Contains("kvmend recycle"));
    }
  }
  CHECK(allowed == std::vector<std::string>{"full", "no_context", "prefix", "reuse_local"});
  // A caller that did not ask beforehand gets the cell's error, not numbers.
  const std::vector<CellSpec> cells{{strategy("reuse"), 0}, {strategy("full"), 1}};
  const auto outcomes = run_request(engine, request, cells, {});
  CHECK_THAT(outcomes[0].error, Contains("learn their positions"));
  CHECK(outcomes[1].error.empty());
}

TEST_CASE("a window refuses positions out of order and dropped keys, and says what has them") {
  const RandomModel files = random_model("gemma3");
  const auto refusal = [&](const char* name, const Value& params = {}) {
    try {
      check_strategy(*strategy(name, params), files.config());
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal("samkv"), Contains("sliding window"));
  CHECK_THAT(refusal("ape"), Contains("sliding window"));
  CHECK_THAT(refusal("reuse_local"), Contains("reuse_local") && Contains("local positions"));
  CHECK_THAT(refusal("infoflow_reorder"), Contains("first scoring"));
  CHECK_THAT(refusal("infoflow", one("geometry", "hl_tp")), Contains("geometries other than global"));
  CHECK(refusal("infoflow").empty());
  CHECK(refusal("prophetkv").empty());
}

TEST_CASE("probes of a windowed layer see what the layer sees") {
  RandomModel files(11);
  files.mutable_config().sliding_window = 16;
  Engine engine(files, {"cpu", DType::f32, 2});
  const Request request = random_request({6, 19, 12}, true, 9, 3);
  const int n = request.n_context();
  const auto found = run_cell(engine, request, strategy("prophetkv"), 0.3).outcome.scores;

  const PlainModel plain(files);
  PlainKv context;
  for (const Unit& unit : request.units) {
    const std::vector<std::int32_t> ids(request.context_ids.begin() + unit.begin,
                                        request.context_ids.begin() + unit.end);
    PlainModel::Change window;
    window.sees = [](std::size_t row, std::size_t key) { return key <= row && row - key < 16; };
    PlainModel::append(context, plain.run(ids, PlainModel::counted(0, ids.size()), {}, window).kv);
  }
  context.positions = PlainModel::counted(0, context.size());
  PlainModel::Change window;
  window.sees = [&](std::size_t row, std::size_t key) {
    const std::size_t at = static_cast<std::size_t>(n) + row;
    return key <= at && at - key < 16;
  };
  const PlainRun run = plain.run(request.query_ids, PlainModel::counted(n, request.query_ids.size()), context, window);

  Row expected(static_cast<std::size_t>(n));
  for (const auto& heads : run.p) {
    for (const Rows& head : heads) {
      for (int r = request.question_begin; r < request.question_end; ++r) {
        double sum = 0;  // softmax over the context alone
        for (int j = 0; j < n; ++j) sum += head[static_cast<std::size_t>(r)][static_cast<std::size_t>(j)];
        for (int j = 0; j < n && sum > 0; ++j) {
          expected[static_cast<std::size_t>(j)] += head[static_cast<std::size_t>(r)][static_cast<std::size_t>(j)] / sum;
        }
      }
    }
  }
  for (double& score : expected) score /= static_cast<double>(run.p.size());
  const double top = *std::max_element(expected.begin(), expected.end());
  CHECK(top > 0);
  CHECK(largest_difference(found, expected) <= 1e-4 * top);
  CHECK(found.front() == 0);  // out of every window
}
