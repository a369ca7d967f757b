#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "strategies/fusion.h"

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
      v("scores", p.scores, "strategies that score tokens, each a name or {name: {parameters}}");
      v("weights", p.weights, "one for each of them; empty: 1");
      v("by", p.by, "weighted sum, weighted maximum, or mean descending rank");
      v("normalise", p.normalise, "what each one's scores are divided by before they are weighted");
      v("pinned", p.pinned, "a strategy whose tokens are always taken, within the budget");
      v("budget", p.budget, "r of the whole context, or r of each chunk");
    }
    void check(ParamErrors& errors, const Location& where);
  };
  explicit Combine(Params params) : params_(std::move(params)) {}

  void check_model(const ModelFacts& model) const override {
    for (const auto& part : params_.parts) part->selector->check_model(model);
    if (params_.base) params_.base->selector->check_model(model);
  }
  void check_samples(const Samples& samples) const override {
    for (const auto& part : params_.parts) part->selector->check_samples(samples);
    if (params_.base) params_.base->selector->check_samples(samples);
  }
  std::vector<std::string> auxiliary_models() const override {
    std::vector<std::string> out;
    for (const auto& part : params_.parts) {
      for (const auto& name : part->selector->auxiliary_models()) out.push_back(name);
    }
    if (params_.base) {
      for (const auto& name : params_.base->selector->auxiliary_models()) out.push_back(name);
    }
    return out;
  }

  std::vector<float> score(Probe& probe) const override;
  Plan plan(Probe& probe, const Budget& budget) const override;

 private:
  std::vector<float> normalised(std::vector<float> scores, const Strategy& part) const;
  Pinned base_tokens(Probe& probe, const Budget& budget) const;
  std::vector<int> select_per_chunk(const std::vector<float>& scores, const Budget& budget, const Probe& probe,
                                    const Pinned& pinned) const;
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
  return make_strategy(name, at, params, errors);
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
    if (dynamic_cast<const ScoreSelector*>(part->selector.get()) == nullptr) {
      errors.add(value.where.line > 0 ? value.where : where,
                 fmt::format("combine: {} gives no scores; it can be `pinned`", part->info.name));
      continue;
    }
    value = part->canonical;
    parts.push_back(part);
  }
  if (!pinned.is_null()) {
    base = make_part(pinned, where, errors);
    if (base) pinned = base->canonical;
  }
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
    std::vector<float> scores = dynamic_cast<const ScoreSelector&>(*part.selector).score(probe);
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

Pinned Combine::base_tokens(Probe& probe, const Budget& budget) const {
  Pinned out;
  for (const auto& part : params_.parts) {
    for (const int i : dynamic_cast<const ScoreSelector&>(*part->selector).pinned(probe)) out.push_back(i);
  }
  if (params_.base) {
    const Plan base = params_.base->selector->plan(probe, budget);
    if (base.filter || base.kept || base.order || base.split_softmax) {
      fail(ErrorKind::usage, "combine: {} does more than choose tokens and cannot be pinned", params_.base->label);
    }
    out.insert(out.end(), base.selected.begin(), base.selected.end());
  }
  return out;
}

/// ⌊r·len⌋ of each chunk; units that are exact anyway get nothing unless exact rows compete.
std::vector<int> Combine::select_per_chunk(const std::vector<float>& scores, const Budget& budget, const Probe& probe,
                                           const Pinned& pinned) const {
  std::vector<char> always(scores.size());
  for (const int i : pinned) always[static_cast<std::size_t>(i)] = 1;
  std::vector<int> out;
  for (const Unit& unit : probe.request().units) {
    if (budget.exact_rows == ExactRows::last && probe.is_exact(unit.begin)) continue;
    std::vector<int> rows;
    std::vector<float> values;
    std::vector<char> last;
    for (int i = unit.begin; i < unit.end; ++i) {
      rows.push_back(i);
      values.push_back(scores[static_cast<std::size_t>(i)]);
      last.push_back(!always[static_cast<std::size_t>(i)]);
    }
    const int count = static_cast<int>(std::floor(budget.ratio * unit.size()));
    const std::vector<int> best = top_rows(rows, values, last, count);
    out.insert(out.end(), best.begin(), best.end());
  }
  return out;
}

Plan Combine::plan(Probe& probe, const Budget& budget) const {
  Plan plan;
  plan.scores = score(probe);
  Pinned pinned = base_tokens(probe, budget);
  std::sort(pinned.begin(), pinned.end());
  std::erase_if(pinned, [&](int i) { return i >= probe.request().n_context(); });
  if (params_.budget == Per::chunk)
    plan.selected = select_per_chunk(plan.scores, budget, probe, pinned);
  else
    plan.selected = select_top(plan.scores, budget, probe, pinned);
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

KVMEND_SELECTOR(Combine, "combine",
                {.summary = "scores of several strategies as one, over a pinned base, with budgets by context or chunk",
                 .source = "",
                 .labels = "[O] ours: normalisation, budgets by chunk; a part's own budget rule is not used"});

}  // namespace
}  // namespace kvmend
