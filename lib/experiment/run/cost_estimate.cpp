#include "experiment/run/cost_estimate.h"

#include <algorithm>

#include "recompute/engine.h"

namespace kvmend {

CostEstimate::CostEstimate(const ModelConfig& model, const Prompt& prompt) {
  constexpr double rows_a_decoded_token = 8;
  const int n = std::max(1, prompt.request.n_tokens());
  prefill_ = full_prefill_flops(model, n);
  context_share_ = static_cast<double>(prompt.request.n_context()) / n;
  answer_ = prefill_ / n * rows_a_decoded_token * prompt.sample.max_new_tokens;
}

double CostEstimate::cell(const Strategy& strategy, std::optional<double> ratio) const {
  const bool whole = strategy.info.name == "full" || strategy.info.name == "prefix";
  const double recomputed = whole ? 1 : ratio.value_or(0);
  const double queries = ratio ? 2 : 1;
  return prefill_ * (recomputed * context_share_ + queries * (1 - context_share_)) + answer_;
}

}  // namespace kvmend
