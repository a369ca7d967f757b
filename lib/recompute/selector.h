#pragma once
// The base classes of strategies/: a selector is one file with one method to write. The budget, exact rows,
// ties and sorting belong here, never to a selector. std types only: plugins see it.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/params.h"
#include "recompute/plan.h"
#include "recompute/probe.h"
#include "recompute/strategy.h"
#ifdef KVMEND_PLUGIN  // set by the CMake target kvmend::plugin: a shared library for --plugin
#include "recompute/plugin_stamp.h"
#endif

namespace kvmend {

/// For selectors without parameters of their own.
struct NoParams {
  template <class V>
  static void fields(NoParams&, V&) {}
};

/// How much may be recomputed.
struct Budget {
  double ratio = 0;
  int n = 0;  ///< candidates
  int k = 0;  ///< ⌊ratio · n⌋ in IEEE doubles
  ExactRows exact_rows = ExactRows::last;
};
Budget make_budget(double ratio, int n, ExactRows exact_rows);

/// What a strategy may have to refuse about a model, before anything runs.
struct ModelFacts {
  int n_layers = 0;
  bool can_move_keys = true;  ///< false: learned absolute positions
  bool has_window = false;    ///< some layers attend within a sliding window
};

class Selector {
 public:
  virtual ~Selector() = default;
  virtual Plan plan(Probe& probe, const Budget& budget) const = 0;
  /// false where the parameters fix the amount (EPIC's k): one cell, whatever the sweep's ratios.
  virtual bool uses_ratio() const { return true; }
  /// Whether its plans say which tokens to recompute and nothing else: only then can it be a composition's pinned base.
  virtual bool only_selects() const { return true; }
  /// Whether its plans may have rows corrected that they do not recompute, which takes the caches before RoPE as well:
  /// a card keeps memory for them.
  virtual bool corrects_reused() const { return false; }
  /// The strategies that a composition is made of. Its common options start from what they agree on.
  virtual std::vector<std::shared_ptr<const Strategy>> parts() const { return {}; }
  /// Throws if it cannot run on such a model. The message does not name the strategy: a preset has another name than its class.
  virtual void check_model(const ModelFacts&) const {}
  /// Throws if it lacks something for one of a sweep's samples, which are made when asked for: before it begins.
  struct SampleFacts {
    std::string id;
    int n_context = 0;
  };
  using Samples = std::function<const std::vector<SampleFacts>&()>;
  virtual void check_samples(const Samples&) const {}
  /// Models it asks besides the one under test, as the config names them: looked up before anything runs.
  virtual std::vector<std::string> auxiliary_models() const { return {}; }
  /// Throws Error(usage) if it cannot ask this one of them, whose chunk caches are made as the common options say.
  virtual void check_auxiliary(const std::string& /*name*/, const ModelFacts&, const CommonOptions&) const {}
};

/// Candidates that must be selected first, whatever their score.
using Pinned = std::vector<int>;

/// Asks the selector; what it throws comes back as an error behind the name that the strategy was configured by.
void check_model(const Strategy& strategy, const ModelFacts& model);

/// The k best candidates: pinned ones first (they count; when they alone exceed k, the first k of them), then
/// by score, exact rows last unless they compete, ties by lower index. NaN ranks below everything. Scores may
/// be shorter than budget.n: what has no score ranks behind all that has one. `last`: flags of further rows that
/// rank with the exact ones; may be empty. Returns sorted indices.
std::vector<int> select_top(std::span<const float> scores, const Budget& budget, const Probe& probe,
                            const Pinned& pinned = {}, std::span<const char> last = {});

/// The `count` best of some rows by score, those flagged `last` behind the others, ties by lower index;
/// sorted. For choices inside a pass, where only some rows are left.
std::vector<int> top_rows(std::span<const int> rows, std::span<const float> scores, std::span<const char> last,
                          int count);

/// For selectors that give every context token a score that does not depend on the ratio.
class ScoreSelector : public Selector {
 public:
  /// [N], larger is sooner.
  virtual std::vector<float> score(Probe& probe) const = 0;
  virtual Pinned pinned(const Probe&) const { return {}; }
  /// Flags [N] of tokens that rank behind all others whatever their score; empty: none.
  virtual std::vector<char> ranks_last(const Probe&) const { return {}; }
  /// Whether a score can be below 0: what is divided by a sum of scores must not be.
  virtual bool may_be_negative() const { return false; }
  /// Tokens to select, where it is not ⌊r·N⌋.
  virtual int count(const Budget& budget) const { return budget.k; }
  Plan plan(Probe& probe, const Budget& budget) const override;
};

/// What a selector says about itself when it registers.
struct SelectorTraits {
  std::string summary, source, labels;
  std::string note = {};  ///< StrategyInfo::note
  int version = 1;
  bool uses_ratio = true;
  bool moves_keys = true;  ///< false: caches stay at the positions they were made at, so that learned ones do no harm
  std::vector<std::string> exemptions = {};
  CommonOptions defaults = {};
};

namespace registry_detail {
struct Entry {
  std::string name;
  SelectorTraits traits;
  Value preset;
  std::vector<ParamInfo> params;
  /// Parses, validates and makes; `canonical` receives every parameter with its value.
  std::function<std::shared_ptr<const Selector>(const Value& params, ParamErrors& errors, Value& canonical)> make;
};
bool add(Entry entry);

template <class S>
struct ParamsOf {
  using type = NoParams;
};
template <class S>
requires requires { typename S::Params; }
struct ParamsOf<S> {
  using type = typename S::Params;
};

/// `preset`: a map of parameters that this name starts from; the user's win. A Params with `check(errors,
/// where)` validates fields together; one with `identity()` adds what its files contain to the cell key.
/// A class without Params takes none and is default-constructed.
template <class S>
bool add(std::string name, SelectorTraits traits, Value preset = {}) {
  using Params = typename ParamsOf<S>::type;
  Entry entry{std::move(name), std::move(traits), std::move(preset), list_params<Params>(), nullptr};
  entry.make = [](const Value& source, ParamErrors& errors, Value& canonical) -> std::shared_ptr<const Selector> {
    Params params;
    const std::size_t before = errors.messages.size();
    read_params(params, source, errors);
    if constexpr (requires { params.check(errors, source.where); }) params.check(errors, source.where);
    if (errors.messages.size() != before) return nullptr;
    canonical = print_params(params);
    if constexpr (requires { params.identity(); }) canonical.set("data", params.identity());
    if constexpr (std::is_constructible_v<S, Params>)
      return std::make_shared<const S>(std::move(params));
    else
      return std::make_shared<const S>();
  };
  return add(std::move(entry));
}
}  // namespace registry_detail

}  // namespace kvmend

/// Registers class S under a name: KVMEND_SELECTOR(ProphetKv, "prophetkv", {.summary = …}).
#define KVMEND_SELECTOR_JOIN2(a, b) a##b
#define KVMEND_SELECTOR_JOIN(a, b) KVMEND_SELECTOR_JOIN2(a, b)
#define KVMEND_SELECTOR(S, ...)                                             \
  static const bool KVMEND_SELECTOR_JOIN(kvmend_registered_, __COUNTER__) = \
      ::kvmend::registry_detail::add<S>(__VA_ARGS__)
