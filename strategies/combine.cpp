#include <algorithm>

#include "core/error.h"
#include "strategies/fusion.h"
#include "strategies/unit_budget.h"

namespace kvmend {
namespace {

/// Scores of several selectors as one, with a base that is always taken and budgets by chunk (STRATEGIES §11).
class Combine final : public ScoreSelector {
 public:
  enum class By : std::uint8_t { sum, max, rank };
  enum class Normalise : std::uint8_t { sum, max, none };
  enum class Per : std::uint8_t { context, chunk };
  struct Params {
    std::vector<Value> scores;
    std::vector<double> weights;
    By by = By::sum;
    Normalise normalise = Normalise::sum;
    Value pinned;
    Per budget = Per::context;
    std::vector<std::shared_ptr<const Strategy>> parts;
    std::shared_ptr<const Strategy> base;
    template <class V>
    static void fields(Params& p, V& v) {
      v("scores", p.scores, "strategies whose scores count, each a name or {name: {parameters}}");
      v("weights", p.weights, "one for each of them; empty: 1");
      v("by", p.by, "weighted sum, weighted maximum, or mean descending rank");
      v("normalise", p.normalise, "what each one's scores are divided by before they are weighted");
      v("pinned", p.pinned, "a strategy that only chooses tokens: they are always taken, within the budget");
      v("budget", p.budget, "r of the whole context, or r of each chunk");
    }
    void check(ParamErrors& errors, const Location& where);

   private:
    void check_scores(const Strategy& part, const Location& where, ParamErrors& errors) const;
    void check_base(const Location& where, ParamErrors& errors) const;
  };
  explicit Combine(Params params) : params_(std::move(params)) {}

  std::vector<std::shared_ptr<const Strategy>> parts() const override {
    auto out = params_.parts;
    if (params_.base) out.push_back(params_.base);
    return out;
  }
  void check_model(const ModelFacts& model) const override {
    for (const auto& part : parts()) kvmend::check_model(*part, model);
  }
  void check_samples(const Samples& samples) const override {
    for (const auto& part : parts()) part->selector->check_samples(samples);
  }
  std::vector<std::string> auxiliary_models() const override {
    std::vector<std::string> out;
    for (const auto& part : parts()) {
      for (const auto& name : part->selector->auxiliary_models()) out.push_back(name);
    }
    return out;
  }
  void check_auxiliary(const std::string& name, const ModelFacts& auxiliary,
                       const CommonOptions& options) const override {
    for (const auto& part : parts()) {
      const auto asked = part->selector->auxiliary_models();
      if (std::find(asked.begin(), asked.end(), name) != asked.end())
        part->selector->check_auxiliary(name, auxiliary, options);
    }
  }
  bool may_be_negative() const override {
    return params_.by == By::rank || std::any_of(params_.parts.begin(), params_.parts.end(),
                                                 [](const auto& part) { return scorer(*part).may_be_negative(); });
  }

  std::vector<float> score(Probe& probe) const override;
  std::vector<char> ranks_last(const Probe& probe) const override;
  Plan plan(Probe& probe, const Budget& budget) const override;

 private:
  static const ScoreSelector& scorer(const Strategy& part) {
    return dynamic_cast<const ScoreSelector&>(*part.selector);
  }
  std::vector<float> normalised(std::vector<float> scores, const Strategy& part) const;
  Pinned base_tokens(Probe& probe, const Budget& budget) const;
  Params params_;
};

/// The strategy that a value names. Options that all strategies take belong to the combination.
std::shared_ptr<const Strategy> make_part(const Value& value, const Location& where, ParamErrors& errors) {
  const Location& at = value.where.line > 0 ? value.where : where;
  std::string name;
  Value params;
  if (value.is_string()) {
    name = value.as_string();
  } else if (value.is_map() && value.as_map().size() == 1) {
    name = value.as_map().front().key;
    params = value.as_map().front().value;
  } else {
    errors.add(at, "combine: expected a strategy's name or {name: {parameter: value}}, found " + value.flow());
    return nullptr;
  }
  if (params.is_map()) {
    params_detail::Lister common;
    CommonOptions defaults;
    CommonOptions::fields(defaults, common);
    for (const auto& entry : params.as_map()) {
      const bool shared = std::any_of(common.out.begin(), common.out.end(),
                                      [&](const ParamInfo& info) { return info.name == entry.key; });
      if (shared)
        errors.add(entry.where, "combine: '" + entry.key + "' belongs to the combination, not to one of its parts");
    }
  }
  return make_strategy(name, at, params, errors, StrategyRole::part);
}

void Combine::Params::check(ParamErrors& errors, const Location& where) {
  if (scores.empty()) {
    errors.add(where, "combine needs scores: `combine: {scores: [prophetkv, infoflow], pinned: {epic: {k: 2}}}`");
  }
  if (!weights.empty() && weights.size() != scores.size()) {
    errors.add(where, fmt::format("combine: {} weights for {} scores", weights.size(), scores.size()));
  }
  for (const double weight : weights) {
    if (!(weight >= 0)) errors.add(where, "combine: weights are at least 0");
  }
  for (Value& value : scores) {
    const auto part = make_part(value, where, errors);
    if (!part) continue;
    const std::size_t before = errors.messages.size();
    check_scores(*part, value.where.line > 0 ? value.where : where, errors);
    if (errors.messages.size() != before) continue;
    value = part->canonical;
    parts.push_back(part);
  }
  if (!pinned.is_null()) {
    base = make_part(pinned, where, errors);
    if (!base) return;
    check_base(pinned.where.line > 0 ? pinned.where : where, errors);
    pinned = base->canonical;
  }
}

void Combine::Params::check_scores(const Strategy& part, const Location& where, ParamErrors& errors) const {
  const auto* scores_tokens = dynamic_cast<const ScoreSelector*>(part.selector.get());
  if (scores_tokens == nullptr) {
    const char* instead = part.selector->only_selects() ? "; it can be `pinned`" : "";
    errors.add(where, fmt::format("combine: {} gives no scores{}", part.info.name, instead));
    return;
  }
  const auto* nested = dynamic_cast<const Combine*>(scores_tokens);
  if (nested != nullptr && (nested->params_.base || nested->params_.budget != Per::context)) {
    errors.add(
        where,
        "combine: `pinned` and `budget` belong to the outermost combination: only scores are taken from one inside");
  }
  if (by == By::rank || normalise == Normalise::none) return;
  try {
    if (!scores_tokens->may_be_negative()) return;
    errors.add(where, fmt::format("combine: {} can have negative scores, which cannot be divided by their {}; use "
                                  "normalise: none or by: rank",
                                  part.label, normalise == Normalise::sum ? "sum" : "maximum"));
  } catch (const Error& error) {  // of a score file
    errors.add(where, error.what());
  }
}

void Combine::Params::check_base(const Location& where, ParamErrors& errors) const {
  if (base->selector->only_selects()) return;
  errors.add(where, fmt::format("combine: {} does more than choose tokens, and only that can be `pinned`, as epic's or "
                                "prophetkv's choice is",
                                base->label));
}

std::vector<float> Combine::normalised(std::vector<float> scores, const Strategy& part) const {
  double sum = 0, top = 0;
  for (const float s : scores) {
    if (s < 0) {
      fail(ErrorKind::usage,
           "combine: {} has negative scores, which cannot be divided; use normalise: none or by: rank", part.label);
    }
    sum += s;
    top = std::max(top, static_cast<double>(s));
  }
  const double divisor = params_.normalise == Normalise::sum ? sum : top;
  for (float& s : scores) s = divisor > 0 ? static_cast<float>(s / divisor) : s;
  return scores;
}

std::vector<float> Combine::score(Probe& probe) const {
  std::vector<std::vector<float>> parts;
  for (std::size_t p = 0; p < params_.parts.size(); ++p) {
    const Strategy& part = *params_.parts[p];
    std::vector<float> scores = scorer(part).score(probe);
    if (params_.by != By::rank && params_.normalise != Normalise::none) scores = normalised(std::move(scores), part);
    parts.push_back(std::move(scores));
  }
  std::vector<double> weights = params_.weights;
  if (weights.empty()) weights.assign(parts.size(), 1);
  std::vector<double> out(parts.front().size());
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (params_.by == By::rank) parts[p] = rank_scores({parts[p]});
    for (std::size_t j = 0; j < out.size(); ++j) {
      const double weighted = weights[p] * parts[p][j];
      if (params_.by == By::max)
        out[j] = p == 0 ? weighted : std::max(out[j], weighted);
      else
        out[j] += params_.by == By::rank ? weighted / static_cast<double>(parts.size()) : weighted;
    }
  }
  return {out.begin(), out.end()};
}

/// What every part puts behind all others.
std::vector<char> Combine::ranks_last(const Probe& probe) const {
  std::vector<char> out;
  for (std::size_t p = 0; p < params_.parts.size(); ++p) {
    const std::vector<char> theirs = scorer(*params_.parts[p]).ranks_last(probe);
    if (p == 0) out = theirs;
    out.resize(std::min(out.size(), theirs.size()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && theirs[i];
  }
  return out;
}

Pinned Combine::base_tokens(Probe& probe, const Budget& budget) const {
  Pinned out;
  for (const auto& part : params_.parts) {
    for (const int i : scorer(*part).pinned(probe)) out.push_back(i);
  }
  if (params_.base) {
    const Plan base = params_.base->selector->plan(probe, budget);
    // Beside what check_base refused: a plugin's selector that does not say so.
    if (!kvmend::only_selects(base)) {
      fail(ErrorKind::usage, "combine: {} does more than choose tokens and cannot be pinned", params_.base->label);
    }
    out.insert(out.end(), base.selected.begin(), base.selected.end());
  }
  return out;
}

Plan Combine::plan(Probe& probe, const Budget& budget) const {
  Plan plan;
  plan.scores = score(probe);
  Pinned pinned = base_tokens(probe, budget);
  std::erase_if(pinned, [&](int i) { return i < 0 || i >= budget.n; });
  if (params_.budget == Per::chunk)
    plan.selected = select_per_unit(plan.scores, budget, probe, pinned, ranks_last(probe));
  else
    plan.selected = select_top(plan.scores, budget, probe, pinned, ranks_last(probe));
  return plan;
}

}  // namespace

template <>
struct EnumNames<Combine::By> {
  static constexpr std::array names{std::pair{Combine::By::sum, "sum"}, std::pair{Combine::By::max, "max"},
                                    std::pair{Combine::By::rank, "rank"}};
};
template <>
struct EnumNames<Combine::Normalise> {
  static constexpr std::array names{std::pair{Combine::Normalise::sum, "sum"},
                                    std::pair{Combine::Normalise::max, "max"},
                                    std::pair{Combine::Normalise::none, "none"}};
};
template <>
struct EnumNames<Combine::Per> {
  static constexpr std::array names{std::pair{Combine::Per::context, "context"},
                                    std::pair{Combine::Per::chunk, "chunk"}};
};

namespace {

KVMEND_SELECTOR(
    Combine, "combine",
    {.summary = "scores of several strategies as one, over a pinned base, with budgets by context or chunk",
     .source = "",
     .labels = "[O] ours: normalisation, budgets by chunk; of a part only its scores are used, not its budget "
               "rule, its groups or what it does while decoding",
     .version = 2});

}  // namespace
}  // namespace kvmend
