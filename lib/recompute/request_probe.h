#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>

#include "recompute/pass.h"
#include "recompute/probe.h"
#include "recompute/reused_context.h"

namespace kvmend {

/// What computing something took.
struct ProbeCost {
  OpCost ops;
  double seconds = 0;
  ProbeCost& operator+=(const ProbeCost& other) {
    ops += other.ops;
    seconds += other.seconds;
    return *this;
  }
};

/// Answers a request's probes, each computed once. `start_charging` begins a new account: what is asked for
/// from then on is charged in full, once, whether it was computed now or earlier for somebody else.
class RequestProbe final : public Probe {
 public:
  RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id);

  const Request& request() const override { return context_.request(); }
  int n_layers() const override { return engine_.model().config().n_layers; }
  int n_candidates() const override { return context_.n_candidates(); }
  bool is_exact(int i) const override { return context_.is_exact(i); }
  const std::string& sample_id() const override { return sample_id_; }
  std::vector<std::span<const float>> attention(const AttentionProbe& what) override;

  /// All rows through the layers below `layer`: what a filter's pass continues from.
  const Pass& full_layers(int layer);

  void start_charging();
  const ProbeCost& charged() const { return charged_; }
  /// Seconds of the current account that were really spent now.
  double computed_seconds() const { return computed_seconds_; }

 private:
  struct Answer {
    std::vector<float> values;  ///< [layers, N]
    std::optional<Pass> pass;
    ProbeCost cost;
  };
  template <class Compute>
  Answer& answer(const std::string& key, const Compute& compute);
  void compute_attention(const AttentionProbe& what, const std::vector<int>& layers, Answer& out);

  Engine& engine_;
  ReusedContext& context_;
  std::string sample_id_;
  std::map<std::string, Answer> answers_;
  std::set<std::string> charged_keys_;
  ProbeCost charged_;
  double computed_seconds_ = 0;
};

}  // namespace kvmend
