#pragma once
// What a selector answers with: pure data (and, for selectors that decide inside the pass, one callback). The
// executor runs plans and knows no selector. std types only: plugins see it.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace kvmend {

/// Where the reused keys stand. The prefix is always at 0 …
enum class Placement : std::uint8_t {
  global,    ///< at their index in the context
  local,     ///< where the unit's own prefill had them
  parallel,  ///< every chunk right behind the prefix: positions are reused (APE, arXiv 2502.05431)
  tail,      ///< every chunk ends at N − 1 (InfoFlow's tl_tp, arXiv 2603.05353)
};

/// How the lse of the chunks' side is scaled where it meets the other side's (APE): S·T as its code has it, S as its paper.
enum class LseScale : std::uint8_t { code, paper };

/// Recomputation that goes on while decoding (KVShare, arXiv 2503.16525): every `interval` steps the `count` tokens not
/// recomputed so far that decoding attended to most. Attention is summed over heads and layers, older steps decay.
struct DecodeRepair {
  int interval = 8, count = 0;
  double decay = 0.9;
};

/// A choice made inside the pass, at every layer in [first_layer, last_layer] (CacheBlend, arXiv 2405.16444
/// §4). Layers below first_layer run all rows; a picking layer projects the rows still active, and only the
/// survivors go on.
struct LayerFilter {
  int first_layer = 1, last_layer = 1;
  /// true: the picking layer's attention reads all freshly projected keys and values; false: only the
  /// survivors', the others as they were cached.
  bool fresh = true;
  /// `rows`: candidate indices that are active (context rows; with last_token freshness also N + i for query
  /// token i), sorted. `key_deviation`, `value_deviation`: Σ_dims (new − cached)² of each, 0 where nothing can
  /// have changed them. Returns the survivors, a sorted subset of rows.
  std::function<std::vector<int>(int layer, std::span<const int> rows, std::span<const float> key_deviation,
                                 std::span<const float> value_deviation)>
      pick;
};

struct Plan {
  std::vector<int> selected;             ///< candidate indices to recompute in all layers; sorted, distinct
  std::optional<LayerFilter> filter;     ///< instead of `selected`
  std::optional<std::vector<int>> kept;  ///< context indices that stay in the cache; nullopt: all
  Placement placement = Placement::global;
  std::optional<int> query_position;  ///< of the query's first token; nullopt: N, behind the whole context
  /// Chunk numbers (0: the first chunk) in the order they are given to the model. Every index above is then one of the
  /// reordered context, and the probe to ask is Probe::arranged.
  std::optional<std::vector<int>> order;
  /// The query attends to the chunks and to everything else in two softmaxes, joined by their scaled lse (APE); the
  /// strategy's temperature and temper_scale are T and S. Nothing may be selected.
  std::optional<LseScale> split_softmax;
  /// Tokens of a chunk that are not recomputed are moved by the mean change, keys before RoPE and values, of those that
  /// are (AgentKVShift, arXiv 2607.21604).
  bool correct_reused = false;
  std::optional<DecodeRepair> decode_repair;
  std::vector<float> scores;  ///< [N], for people and analysis; empty: the selector scores nothing
};

/// Whether a plan says which tokens to recompute and nothing else.
inline bool only_selects(const Plan& plan) {
  const bool moves = plan.placement != Placement::global || plan.query_position || plan.order;
  return !(moves || plan.filter || plan.kept || plan.split_softmax || plan.correct_reused || plan.decode_repair);
}

}  // namespace kvmend
