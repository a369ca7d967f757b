#pragma once
// What a selector answers with: pure data (and, for selectors that decide inside the pass, one callback). The
// executor runs plans and knows no selector. std types only: plugins see it.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace kvmend {

/// Where the reused keys stand. `global`: at their index in the context. `local`: where the unit's own
/// prefill had them.
enum class Placement : std::uint8_t { global, local };

/// A choice made inside the pass, at every layer in [first_layer, last_layer] (CacheBlend, arXiv 2405.16444
/// §4). Layers below first_layer run all rows; a picking layer projects the rows still active, and only the
/// survivors go on.
struct LayerFilter {
  int first_layer = 1, last_layer = 1;
  /// true: the picking layer's attention reads all freshly projected keys and values; false: only the
  /// survivors', the others as they were cached.
  bool fresh = true;
  /// `rows`: candidate indices that are active (context rows; with last_token freshness also N + i for query
  /// token i), sorted. `key_deviation`, `value_deviation`: Σ_dims (new − cached)² of each, 0 where a row is
  /// exact anyway. Returns the survivors, a sorted subset of rows.
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
  std::vector<float> scores;          ///< [N], for people and analysis; empty: the selector scores nothing
};

}  // namespace kvmend
