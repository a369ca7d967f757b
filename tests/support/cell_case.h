#pragma once
// Runs one strategy at one ratio and hands back its logits: what the invariants compare.
#include <string>
#include <vector>

#include "catch.h"
#include "recompute/cell_run.h"
#include "recompute/runner.h"
#include "support/difference.h"

namespace kvmend::test {

struct CellResult {
  std::vector<float> logits;
  Outcome outcome;
};

inline std::shared_ptr<const Strategy> strategy(const std::string& name, Value params = {}) {
  ParamErrors errors;
  auto made = make_strategy(name, {}, params, errors);
  for (const auto& message : errors.messages) FAIL_CHECK(message);
  REQUIRE(made);
  return made;
}

inline CellResult run_cell(Engine& engine, const Request& request, const std::shared_ptr<const Strategy>& what,
                           double ratio, int max_new_tokens = 1, int bos = 1) {
  ReusedContext context(engine, request, reuse_key(what->options), bos);
  RequestProbe probe(engine, context, "");
  CellRun cell(engine, probe, what, ratio, max_new_tokens);
  cell.prefill();
  CellResult result;
  result.logits.resize(static_cast<std::size_t>(cell.logits().cols()));
  engine.queue().download(result.logits, cell.logits());
  result.outcome = cell.outcome();
  return result;
}

/// Greedy answer of one cell, `new_tokens` long.
inline Outcome answer(Engine& engine, const Request& request, const std::shared_ptr<const Strategy>& what, double ratio,
                      int new_tokens) {
  RunnerOptions options;
  options.bos = 1;
  options.decode.max_new_tokens = new_tokens;
  const CellSpec cell{what, ratio};
  const Outcome outcome = run_request(engine, request, std::span(&cell, 1), options).front();
  CHECK(outcome.error.empty());
  return outcome;
}

}  // namespace kvmend::test
