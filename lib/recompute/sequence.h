#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "model/model.h"
#include "recompute/request.h"

namespace kvmend {

/// Placed chunk caches: every context token's rotated keys and values. Immutable; shared by all cells of a
/// request that agree on sink and placement.
class PlacedBase {
 public:
  /// Makes the next layer.
  using PlaceNext = std::function<LayerKv()>;
  PlacedBase(int base_rows, PlaceNext place_next) : rows(base_rows), place_next_(std::move(place_next)) {}

  const int rows;  ///< sequence indices [0, rows) have a row here
  /// [rows, kv width]; it and the layers below are placed when the first one asks.
  const LayerKv& layer(int index) const {
    while (static_cast<int>(layers_.size()) <= index) layers_.push_back(place_next_());
    return layers_[static_cast<std::size_t>(index)];
  }

 private:
  PlaceNext place_next_;
  mutable std::deque<LayerKv> layers_;  ///< placed so far; what is handed out stays where it is
};
using BasePtr = std::shared_ptr<const PlacedBase>;

/// The tokens a pass may touch, in order: the context, then the query. An index into it is a *sequence
/// index*; causality follows this order, RoPE follows `positions`.
struct Sequence {
  std::vector<std::int32_t> ids, positions;  ///< [T]
  int n_context = 0;                         ///< the first indices; the rest is query
  std::vector<char> kept;                    ///< [T] 0: dropped from the cache; empty: all kept
  std::vector<char> exact;                   ///< [rows of the base] 1: recomputing this row changes nothing
  std::vector<int> behind;                   ///< [rows of the base] tokens of its own unit before it
  std::vector<int> units;                    ///< [n_context] the unit of each token; empty: bare tokens
  int prefix_end = 0;                        ///< tokens of the prefix

  int size() const { return static_cast<int>(ids.size()); }
  bool is_kept(int i) const { return kept.empty() || kept[static_cast<std::size_t>(i)] != 0; }
  /// The first sequence index that row i sees in a layer: its window's, or 0. Positions do not fall.
  int first_seen(const ModelConfig& config, int layer, int i) const;
  /// Whether the base has row i's keys and values of a full prefill in this layer: everywhere where it is exact, in layer 0,
  /// and in the layers above as long as the windows below them reach no further than its own unit.
  bool unchanged(const ModelConfig& config, int layer, int i) const;
};

/// What a sliding window sees is an interval only where positions do not fall; else throws Error(usage).
void check_windows(std::span<const std::int32_t> positions);

/// Context then query at positions 0, 1, 2 …
Sequence make_sequence(const Request& request);
/// Bare tokens at positions 0, 1, 2 … (a chunk, a prompt without units).
Sequence make_sequence(std::span<const std::int32_t> ids);

}  // namespace kvmend
