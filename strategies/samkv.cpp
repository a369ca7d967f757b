#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "recompute/selector.h"
#include "strategies/cosine.h"

namespace kvmend {
namespace {

/// SamKV-style sparsification (arXiv 2508.11661): of each chunk the first and last blocks and those that a personalised
/// query likes are kept and recomputed among themselves; the rest is dropped.
class SamKv final : public Selector {
 public:
  struct Params {
    int block = 16, initial = 1, local = 1;
    template <class V>
    static void fields(Params& p, V& v) {
      v("block", p.block, "tokens a block, counted from each chunk's start", at_least(1));
      v("initial", p.initial, "first blocks of each chunk that are always kept", at_least(0));
      v("local", p.local, "last blocks of each chunk that are always kept", at_least(1));
    }
  };
  explicit SamKv(Params params) : params_(params) {}
  bool only_selects() const override { return false; }
  void check_model(const ModelFacts& model) const override {
    if (model.has_window) fail(ErrorKind::usage, "a sliding window cannot skip what was dropped from the cache");
  }
  Plan plan(Probe& probe, const Budget& budget) const override;

 private:
  struct Block {
    TokenRange tokens;
    std::size_t chunk = 0;
    double score = 0;
  };
  /// What is always kept, each chunk's local range, and what has to be ranked.
  struct Layout {
    std::vector<TokenRange> always, locals;
    std::vector<Block> middle;
  };
  Layout lay_out(const Request& request) const;
  void rank(Probe& probe, Layout& layout) const;

  Params params_;
};

std::vector<int> indices_of(const std::vector<TokenRange>& ranges) {
  std::vector<int> out;
  for (const TokenRange& range : ranges) {
    for (int i = range.begin; i < range.end; ++i) out.push_back(i);
  }
  std::sort(out.begin(), out.end());
  return out;
}

SamKv::Layout SamKv::lay_out(const Request& request) const {
  Layout out;
  for (const Unit& unit : request.units) {
    if (unit.kind == UnitKind::prefix) {
      out.always.push_back({unit.begin, unit.end});
      continue;
    }
    const int blocks = (unit.size() + params_.block - 1) / params_.block;
    const int first_local = std::max(0, blocks - params_.local);
    const std::size_t chunk = out.locals.size();
    for (int b = 0; b < blocks; ++b) {
      const int begin = unit.begin + b * params_.block;
      const TokenRange tokens{begin, std::min(unit.end, begin + params_.block)};
      if (b < params_.initial || b >= first_local) {
        out.always.push_back(tokens);
      } else {
        out.middle.push_back({tokens, chunk});
      }
    }
    out.locals.push_back({unit.begin + first_local * params_.block, unit.end});
  }
  return out;
}

/// Scores of middle blocks: the mean over heads and layers of q̂_i·k̄/√d, q̂_i = q_que + Σ_{j≠i} |cos(q_que, q_loc_j)|·q_loc_j/(D − 1).
void SamKv::rank(Probe& probe, Layout& layout) const {
  if (layout.middle.empty()) return;
  const ModelShape shape = probe.shape();
  const auto d = static_cast<std::size_t>(shape.head_dim), width = d * static_cast<std::size_t>(shape.n_heads);
  const auto group = static_cast<std::size_t>(shape.n_heads / shape.n_kv_heads);
  Observation query;
  query.what = Observation::What::q;
  query.kept = indices_of(layout.always);
  const auto query_rows = probe.observe(query);  // [layers][Q, width]
  const auto local = probe.cached_means(Observation::What::q, layout.locals);
  std::vector<TokenRange> ranges;
  for (const Block& block : layout.middle) ranges.push_back(block.tokens);
  const auto keys = probe.cached_means(Observation::What::k, ranges);
  const std::size_t chunks = layout.locals.size();
  for (std::size_t layer = 0; layer < query_rows.size(); ++layer) {
    std::vector<double> que(width);
    const std::size_t rows = query_rows[layer].size() / width;
    for (std::size_t i = 0; i < query_rows[layer].size(); ++i) que[i % width] += query_rows[layer][i];
    for (double& q : que) q /= static_cast<double>(rows);
    const std::vector<float> q_que(que.begin(), que.end());
    std::vector<double> all(width), weights(chunks);  // Σ over every chunk; each leaves its own out below
    for (std::size_t j = 0; j < chunks; ++j) {
      const auto q_loc = local[layer].subspan(j * width, width);
      weights[j] = chunks > 1 ? std::abs(cosine(q_que, q_loc)) / static_cast<double>(chunks - 1) : 0;
      for (std::size_t c = 0; c < width; ++c) all[c] += weights[j] * q_loc[c];
    }
    for (std::size_t b = 0; b < layout.middle.size(); ++b) {
      Block& block = layout.middle[b];
      const auto own = local[layer].subspan(block.chunk * width, width);
      const auto key = keys[layer].subspan(b * (width / group), width / group);
      double dot = 0;
      for (std::size_t c = 0; c < width; ++c) {
        const double q = q_que[c] + all[c] - weights[block.chunk] * own[c];
        dot += q * key[c / d / group * d + c % d];
      }
      block.score += dot / std::sqrt(static_cast<double>(d)) / static_cast<double>(shape.n_heads) / shape.n_layers;
    }
  }
}

Plan SamKv::plan(Probe& probe, const Budget& budget) const {
  Layout layout = lay_out(probe.request());
  rank(probe, layout);
  std::vector<TokenRange> kept = layout.always;
  std::stable_sort(layout.middle.begin(), layout.middle.end(),
                   [](const Block& a, const Block& b) { return a.score > b.score; });
  int used = static_cast<int>(indices_of(kept).size());
  const int limit = static_cast<int>(std::floor(budget.ratio * probe.request().n_context()));
  for (const Block& block : layout.middle) {
    used += block.tokens.end - block.tokens.begin;
    if (used > limit) break;
    kept.push_back(block.tokens);
  }
  Plan plan;
  plan.kept = indices_of(kept);
  const int prefix = probe.request().has_prefix() ? probe.request().units.front().end : 0;
  for (const int i : *plan.kept) {
    if (i >= prefix) plan.selected.push_back(i);  // the prefix is whole and exact as it is
  }
  plan.scores.assign(static_cast<std::size_t>(probe.request().n_context()), 0);
  for (const Block& block : layout.middle) {
    std::fill(plan.scores.begin() + block.tokens.begin, plan.scores.begin() + block.tokens.end,
              static_cast<float>(block.score));
  }
  return plan;
}

KVMEND_SELECTOR(SamKv, "samkv",
                {.summary = "SamKV-style: first, last and query-related blocks of each chunk are kept and recomputed, "
                            "the rest is dropped",
                 .source = "arXiv 2508.11661",
                 .labels = "[P] keep and local recompute, two write-backs; [2] personalised query; [O] block sizes, "
                           "cosine to q_loc, states before RoPE, one kept set for all layers, theta = max(0, cos)",
                 .note = "SamKV-style; block sizes and the ratio by layer of arXiv 2508.11661 are not public",
                 .exemptions = {"2 (r = 0 equals reuse): what is not kept is dropped",
                                "3 (one chunk equals full prefill): what is not kept is dropped"}});

}  // namespace
}  // namespace kvmend
