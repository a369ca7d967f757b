#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "recompute/ledger.h"
#include "recompute/pass.h"
#include "recompute/probe.h"
#include "recompute/reused_context.h"

namespace kvmend {

class AuxiliaryRequest;

/// Answers a request's probes, each computed once.
class RequestProbe final : public Probe {
 public:
  RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id);
  ~RequestProbe() override;

  const Request& request() const override { return context_.request(); }
  ModelShape shape() const override;
  int n_candidates() const override { return context_.n_candidates(); }
  bool is_exact(int i) const override { return context_.is_exact(i); }
  std::vector<std::int32_t> positions(Placement placement) const override;
  const std::string& sample_id() const override { return sample_id_; }

  std::vector<std::span<const float>> attention(const AttentionProbe& what) override;
  std::vector<std::span<const float>> attention_by_chunk(const AttentionProbe& what) override;
  KvDeviation kv_deviation(const std::vector<int>& layers) override;
  std::span<const float> hidden_norm(int layer) override;
  ChunkAttention chunk_attention(int layer) override;
  std::vector<std::span<const float>> observe(const Observation& what) override;
  std::span<const float> output_change() override;
  std::vector<std::span<const float>> cached_means(Observation::What what, std::span<const TokenRange> ranges) override;
  Probe& arranged(std::span<const int> units) override { return arrangement(units); }
  void auxiliary(const std::string& model, const std::function<void(Probe&)>& work) override;

  /// arranged(), as the executor needs it.
  RequestProbe& arrangement(std::span<const int> units);
  /// All rows through the layers below `layer`, under the strategy's temper and write-back: what a filter's pass continues
  /// from.
  const Pass& full_layers(int layer, const ChunkTemper& temper, WriteBack write_back);

  ReusedContext& context() { return context_; }
  Ledger& ledger() { return *ledger_; }
  /// Begins a new account.
  void start_charging();
  /// FLOPs and bytes of the account, auxiliary models' included.
  OpCost charged_ops() const;
  /// Seconds of the account beside loading and placing the plan's own base, which took `beside`: that is what the time of an
  /// auxiliary model hides behind that ran meanwhile. `own`: that base's charge, or null.
  double charged_seconds(const Charge* own, double beside) const;
  /// Seconds of the account that were really spent now on what is charged.
  double computed_seconds() const { return ledger_->computed_seconds(); }

 private:
  struct Answer {
    std::vector<float> values;      ///< one row after the other
    std::vector<std::size_t> ends;  ///< where each ends
    std::optional<Pass> pass;
    std::unique_ptr<Sequence> sequence;  ///< of the pass, where it is not the context's
    Charge charge;
    void add(std::span<const float> row) {
      values.insert(values.end(), row.begin(), row.end());
      ends.push_back(values.size());
    }
    std::vector<std::span<const float>> rows() const;
  };
  struct Arrangement {
    Request request;
    std::unique_ptr<ReusedContext> context;
    std::unique_ptr<RequestProbe> probe;
  };

  RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id, Ledger& ledger);
  template <class Compute>
  const Answer& answer(const std::string& key, const Compute& compute);
  BasePtr base(Placement placement) { return context_.placed(placement, *ledger_).base; }
  std::vector<int> checked_layers(const std::vector<int>& layers, int end) const;

  /// The context, then the query (or the question alone), at the positions a probe asks for.
  Sequence probe_sequence(const AttentionProbe& what) const;
  Pass query_pass(const Sequence& sequence, const AttentionProbe& what);
  Pass full_pass(const Sequence& sequence);
  void compute_attention(const AttentionProbe& what, const std::vector<int>& layers, Answer& out);
  void compute_attention_by_chunk(const AttentionProbe& what, const std::vector<int>& layers, Answer& out);
  KvView whole_view(const Pass& pass, const AttentionProbe& what);
  void compute_chunk_attention(int layer, Answer& out);
  void compute_deviation(const std::vector<int>& layers, Answer& out);
  void compute_observation(const Observation& what, const std::vector<int>& layers, Answer& out);
  void compute_output_change(Answer& out);
  void compute_means(Observation::What what, std::span<const TokenRange> ranges, Answer& out);
  std::vector<std::vector<float>> chunk_states(Observation::What what, std::size_t unit);

  Engine& engine_;
  ReusedContext& context_;
  std::string sample_id_;
  std::unique_ptr<Ledger> own_ledger_;
  Ledger* ledger_;
  std::map<std::string, std::unique_ptr<Answer>> answers_;
  std::map<std::vector<int>, Arrangement> arrangements_;
  std::map<std::string, std::unique_ptr<AuxiliaryRequest>> auxiliaries_;
};

}  // namespace kvmend
