#pragma once
// One strategy at one ratio on one request: executes its plan up to the first token, and keeps what decoding
// continues from.
#include <memory>

#include "recompute/outcome.h"
#include "recompute/pass.h"
#include "recompute/request_probe.h"
#include "recompute/selector.h"

namespace kvmend {

class CellRun {
 public:
  CellRun(Engine& engine, ReusedContext& context, RequestProbe& probe, std::shared_ptr<const Strategy> strategy,
          double ratio, int max_new_tokens);

  /// Selects, recomputes, prefills the query, takes the first token.
  void prefill();

  // ---- for the decoder
  // ---------------------------------------------------------------------------------------
  /// Keys that the token decoded `step` steps after the first sees in this layer, its own included.
  KvView decode_view(int layer, int step) const;
  /// Where that token's key and value go.
  LayerKv decode_slot(int layer, int step) const;
  std::int32_t decode_position(int step) const { return last_position_ + 1 + step; }
  /// Bytes of the overlay: what a group of cells shares the memory budget with.
  std::int64_t bytes() const { return bytes_; }

  /// f32 [1, vocab] of the last query row.
  const Tensor& logits() const { return logits_; }
  Outcome& outcome() { return outcome_; }
  const Strategy& strategy() const { return *strategy_; }

 private:
  Plan make_plan();
  void execute(const Plan& plan);
  Pass start_pass(const Plan& plan);
  void record(const Plan& plan, const Pass& pass, const OpCost& cost, double pass_seconds);

  Engine& engine_;
  ReusedContext& context_;
  RequestProbe& probe_;
  std::shared_ptr<const Strategy> strategy_;
  double ratio_;
  int reserve_;
  bool shares_base_ = false;
  BasePtr base_;
  Sequence sequence_;
  std::vector<LayerCache> caches_;
  Tensor logits_;
  std::int32_t last_position_ = 0;
  std::int64_t bytes_ = 0;
  Outcome outcome_;
};

}  // namespace kvmend
