#include <algorithm>
#include <cmath>

#include "recompute/selector.h"
#include "strategies/fusion.h"

namespace kvmend {
namespace {

/// Cache-Craft (arXiv 2502.15734): a chunk is recomputed the more, the more its tokens attend to other chunks: its share is
/// CFO = min(1, α·CCI·(1 − β′)), CCI = σ(ā/b̄) of the mean attention to earlier chunks and to the chunk itself, and its
/// tokens with most attention to earlier chunks are taken. β′ compares with the chunks a cache was made behind: isolated
/// caches were made behind none, it is 0.
class CacheCraft final : public Selector {
 public:
  struct Params {
    int layer = 1;
    std::optional<double> alpha;
    template <class V>
    static void fields(Params& p, V& v) {
      v("layer", p.layer, "whose attention is measured, within its window; all tokens run exactly below it",
        at_least(0));
      v("alpha", p.alpha,
        "of CFO = min(1, alpha*CCI); not set: the largest at which the chunks' ceil(CFO*len) tokens are at most "
        "floor(r*N), and what is left of these goes by attention to earlier chunks alone",
        between(0, 100));
    }
  };
  explicit CacheCraft(Params params) : params_(params) {}
  bool uses_ratio() const override { return !params_.alpha; }
  void check_model(const ModelFacts& model) const override { check_layers({params_.layer}, model); }
  Plan plan(Probe& probe, const Budget& budget) const override;

 private:
  /// What one chunk's share is made from.
  struct Chunk {
    Unit unit;
    double cci = 0;
    int count(double alpha) const { return static_cast<int>(std::ceil(std::min(1.0, alpha * cci) * unit.size())); }
  };
  static int total(const std::vector<Chunk>& chunks, double alpha) {
    int sum = 0;
    for (const Chunk& chunk : chunks) sum += chunk.count(alpha);
    return sum;
  }
  /// The largest α whose tokens are no more than k, to within what bisection can tell.
  static double fitting_alpha(const std::vector<Chunk>& chunks, int k) {
    double low = 0, high = 2;  // σ ≥ 1/2: at 2 every chunk is taken whole
    if (total(chunks, high) <= k) return high;
    for (int step = 0; step < 50; ++step) {
      const double middle = 0.5 * (low + high);
      (total(chunks, middle) <= k ? low : high) = middle;
    }
    return low;
  }

  Params params_;
};

Plan CacheCraft::plan(Probe& probe, const Budget& budget) const {
  Plan plan;
  if (uses_ratio() && budget.k == 0) return plan;
  const ChunkAttention attention = probe.chunk_attention(params_.layer);
  plan.scores.assign(attention.earlier.begin(), attention.earlier.end());
  std::vector<Chunk> chunks;
  bool first = true;
  for (const Unit& unit : probe.request().units) {
    const bool chunk = unit.kind == UnitKind::chunk, behind_none = first;
    if (chunk) first = false;
    // The first chunk has none to attend to, and an exact one nothing to gain.
    if (!chunk || behind_none || (budget.exact_rows == ExactRows::last && probe.is_exact(unit.begin))) continue;
    double earlier = 0, own = 0;
    for (int i = unit.begin; i < unit.end; ++i) {
      earlier += attention.earlier[static_cast<std::size_t>(i)];
      own += attention.own[static_cast<std::size_t>(i)];
    }
    chunks.push_back({unit, 1 / (1 + std::exp(-earlier / own))});
  }
  const double alpha = params_.alpha.value_or(fitting_alpha(chunks, budget.k));
  Pinned taken;
  for (const Chunk& chunk : chunks) {
    std::vector<int> rows;
    for (int i = chunk.unit.begin; i < chunk.unit.end; ++i) rows.push_back(i);
    const auto begin = static_cast<std::size_t>(chunk.unit.begin), size = static_cast<std::size_t>(chunk.unit.size());
    const std::vector<char> last(size);
    const auto best = top_rows(rows, std::span(plan.scores).subspan(begin, size), last, chunk.count(alpha));
    taken.insert(taken.end(), best.begin(), best.end());
  }
  // What rounding leaves of a ratio's budget goes to the best of the rest.
  plan.selected = uses_ratio() ? select_top(plan.scores, budget, probe, taken) : taken;
  return plan;
}

KVMEND_SELECTOR(CacheCraft, "cachecraft",
                {.summary = "chunks that attend to other chunks are recomputed more, their tokens that do so first",
                 .source = "arXiv 2502.15734",
                 .labels = "[P] CCI, CFO, tokens by attention to other chunks; [O] layer, beta 0 for isolated caches, "
                           "alpha from the ratio, nothing of the first chunk, the prefix counts in neither attention"});

}  // namespace
}  // namespace kvmend
