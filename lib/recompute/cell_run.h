#pragma once
// One strategy at one ratio on one request: executes its plan up to the first token, and keeps what decoding
// continues from.
#include <memory>

#include "recompute/decode_repair.h"
#include "recompute/outcome.h"
#include "recompute/pass.h"
#include "recompute/request_probe.h"
#include "recompute/selector.h"

namespace kvmend {

class CellRun {
 public:
  CellRun(Engine& engine, RequestProbe& probe, std::shared_ptr<const Strategy> strategy, double ratio,
          int max_new_tokens);

  /// Selects, recomputes, prefills the query, takes the first token.
  void prefill();

  // ---- for the decoder
  // ---------------------------------------------------------------------------------------
  /// Keys that the token decoded `step` steps after the first sees in this layer, its own included.
  KvView decode_view(int layer, int step) const;
  /// Where that token's key and value go.
  LayerKv decode_slot(int layer, int step) const;
  std::int32_t decode_position(int step) const { return last_position_ + 1 + step; }
  /// What the decoded token's attention does to chunk keys; nullopt: nothing.
  std::optional<Temper> decode_temper(int layer, int step) const;
  /// Split softmax: one row of attention by itself. q, out: f32 [1, heads · head_dim].
  bool splits() const { return temper_.split.has_value(); }
  void attend_split(int layer, int step, const Tensor& q, const Tensor& out);
  /// Recomputation while decoding, null without.
  DecodeRepairer* repairer() { return repairer_.get(); }
  /// Bytes of the overlay: what a group of cells shares the memory budget with.
  std::int64_t bytes() const { return bytes_; }

  /// f32 [1, vocab] of the last query row.
  const Tensor& logits() const { return logits_; }
  Outcome& outcome() { return outcome_; }
  const Strategy& strategy() const { return *strategy_; }

 private:
  Plan make_plan();
  void check_plan(const Plan& plan) const;
  void set_up_sequence(const Plan& plan);
  void execute(const Plan& plan);
  PassSpec pass_spec(const Plan& plan) const;
  void record(const Plan& plan, const Pass& pass, const OpCost& cost, double pass_seconds);
  void record_order(const Plan& plan);
  ReusedContext& context() { return probe_->context(); }
  const ReusedContext& context() const { return probe_->context(); }

  Engine& engine_;
  RequestProbe& root_;   ///< of the request as it was given: it holds the account
  RequestProbe* probe_;  ///< of the request as the plan orders it
  std::shared_ptr<const Strategy> strategy_;
  double ratio_;
  int reserve_;
  ChunkTemper temper_;
  double plan_seconds_ = 0;  ///< wall-clock of planning
  std::unique_ptr<DecodeRepairer> repairer_;
  BasePtr base_;
  Sequence sequence_;
  std::vector<LayerCache> caches_;
  Tensor logits_;
  std::int32_t last_position_ = 0;
  std::int64_t bytes_ = 0;
  Outcome outcome_;
};

}  // namespace kvmend
