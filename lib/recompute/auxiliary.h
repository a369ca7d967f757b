#pragma once
// The same prompt on another model, with that model's tokenizer (CacheClip, arXiv 2510.10129).
#include <functional>
#include <memory>
#include <string>

#include "recompute/reused_context.h"

namespace kvmend {

class RequestProbe;
class Probe;

/// The request's units and query, each tokenised alone by another tokenizer; byte spans in the same text. Throws
/// Error(usage) if it has no text, or a unit none of its own there.
Request retokenize(const Request& request, const Tokenizer& tokenizer, const std::string& model);

/// An auxiliary model without its weights.
struct AuxiliaryFiles {
  std::unique_ptr<ModelFiles> files;
  std::unique_ptr<Tokenizer> tokenizer;
};
/// Throws what opening a model throws, and Error(usage) if the strategy cannot ask this one (check_auxiliary) or its tokenizer
/// does not say which bytes tokens stand for, by which they are matched with the primary's.
AuxiliaryFiles open_auxiliary(const Strategy& strategy, const std::string& name);
/// Opens all that a strategy asks. What is thrown names the strategy and the model.
void check_auxiliaries(const Strategy& strategy);

class AuxiliaryRequest {
 public:
  AuxiliaryRequest(Engine& primary, const std::string& model, const ReusedContext& context, std::string sample_id);
  ~AuxiliaryRequest();

  /// `work` on a thread of its own, while this one loads and places the primary's base, every layer of it: what was left for
  /// the pass could not hide this. `beside_placing`: that is still to be done, as far as the account knows.
  void run(ReusedContext& context, Ledger& primary, bool beside_placing, const std::function<void(Probe&)>& work);

  void start_charging();
  /// Whether the account asked it, and whether it ran beside loading and placing.
  bool used() const { return used_; }
  bool hides() const { return hides_; }
  OpCost charged_ops() const;
  /// Its probes, loading and placing of its own caches.
  double charged_seconds() const;

 private:
  Engine& engine_;
  int primary_layers_;
  Request request_;
  std::unique_ptr<ReusedContext> context_;
  std::unique_ptr<RequestProbe> probe_;
  bool used_ = false, hides_ = false;
};

}  // namespace kvmend
