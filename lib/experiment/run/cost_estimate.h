#pragma once
#include <optional>

#include "datasets/prompt.h"
#include "model/config.h"
#include "recompute/strategy.h"

namespace kvmend {

/// FLOPs that time is reckoned by before anything has run: for the time left and --dry-run, never for a table.
/// A decoded token counts as several prefilled ones: it reads all weights for one row.
class CostEstimate {
 public:
  /// Of prompts like this one.
  CostEstimate(const ModelConfig& model, const Prompt& prompt);
  /// What a sample's cells share: its chunks prefilled alone.
  double shared() const { return prefill_; }
  /// Of a cell's answer, if it is as long as it may be.
  double answer() const { return answer_; }
  /// The nominal share of the context, the query twice where it also chooses, and the answer.
  double cell(const Strategy& strategy, std::optional<double> ratio) const;

 private:
  double prefill_ = 0, context_share_ = 0, answer_ = 0;
};

}  // namespace kvmend
