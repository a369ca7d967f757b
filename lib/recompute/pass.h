#pragma once
// Active rows on their way through the layers: the one forward pass behind full prefill, chunk prefill,
// selective recompute and probes. In each layer Q, K and V of the active rows are projected, their keys and
// values replace the reused ones, and each active row attends to every kept key up to itself (STRATEGIES §0,
// arXiv 2405.16444 §4.2).
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "recompute/plan.h"
#include "recompute/sequence.h"
#include "recompute/strategy.h"

namespace kvmend {

/// What one layer's attention reads, in sequence order; with a split softmax the chunks' keys stand first. Shared by
/// layers whose active rows are the same.
struct KeyList {
  Tensor slots;  ///< i32 [n_keys + reserve]: KvView's, continued for tokens that decoding appends
  std::int64_t n_keys = 0;
  std::vector<int> index;                         ///< [n_keys] the sequence index of each entry
  std::vector<std::int32_t> host;                 ///< slots on the host
  std::int32_t chunks_begin = 0, chunks_end = 0;  ///< entries that are chunk tokens: what a temper is about
};

/// One layer of a cell's cache: the base is shared, the overlay is the cell's own.
struct LayerCache {
  LayerKv overlay;  ///< [used + reserve, kv width]
  int used = 0;     ///< overlay rows written by the pass
  std::shared_ptr<const KeyList> keys;
};

enum class RowSight : std::uint8_t { causal, bottom_right, alone };  ///< alone: active rows see no base key

/// How the query's rows weigh chunk keys (APE): logits / temperature + ln scale in one softmax, or two softmaxes.
struct ChunkTemper {
  float temperature = 1, scale = 1;  ///< T, S
  std::optional<LseScale> split;
  bool active() const { return split || temperature != 1 || scale != 1; }
  /// What lse of the chunks' side is multiplied by.
  float lse_factor() const { return *split == LseScale::code ? scale * temperature : scale; }
};

/// Some of a pass's active rows, in their order, that see base rows `context` and their lane's own up to themselves: queries
/// side by side that do not see each other.
struct Lane {
  std::vector<int> context;  ///< sequence indices that the base has; their positions, then the rows', do not fall
  int rows = 0;
};

struct PassSpec {
  const Sequence* sequence = nullptr;  ///< outlives the pass
  BasePtr base;                        ///< null: nothing is reused
  BasePtr unrotated;                   ///< the base with keys before RoPE: what correct_reused moves; null: it is off
  std::vector<int> active;             ///< sequence indices, sorted
  std::vector<Lane> lanes = {};        ///< covering `active`; empty: one sequence
  RowSight sight = RowSight::causal;
  ChunkTemper temper = {};
  WriteBack write_back = WriteBack::overwrite;
  int reserve = 0;                ///< overlay rows left free for decoding
  bool keep_unrotated = false;    ///< collect keys before RoPE: chunk prefill
  bool keep_unrotated_q = false;  ///< and queries, of the layer begun
};

class Pass {
 public:
  Pass(const Model& model, Queue& queue, PassSpec spec);
  Pass(Pass&&) = default;

  /// Next layer to run.
  int layer() const { return layer_; }
  /// Projects the active rows of layer(), lets the filter pick, and makes the layer's key list.
  void begin_layer(const LayerFilter* filter = nullptr);
  /// Attention and MLP of the layer begun.
  void end_layer();
  void run_until(int layer, const LayerFilter* filter = nullptr);

  /// A pass that continues from here with rows and caches of its own.
  Pass fork(const PassSpec& how) const;

  /// Between begin_layer and end_layer: rotated queries of the active rows and what they attend to.
  const Tensor& q() const { return rows_.q; }
  KvView view() const;
  /// f32 [rows, q width] before RoPE, of the layer begun; with keep_unrotated_q.
  const Tensor& unrotated_q() const { return unrotated_q_; }
  const std::vector<Tensor>& unrotated() const { return unrotated_; }
  /// Keys and values that the layer begun has projected: row i is active row i.
  LayerKv projected() const;

  const std::vector<int>& active() const { return active_; }
  Tensor last_hidden() const { return rows_.hidden.row_range(rows_.hidden.rows() - 1, 1); }
  Tensor hidden() const { return rows_.hidden; }
  std::vector<LayerCache> take_caches() { return std::move(caches_); }
  std::vector<Tensor> take_unrotated() { return std::move(unrotated_); }
  /// Σ over layers run of context rows that ran attention and MLP.
  std::int64_t layer_tokens() const { return layer_tokens_; }
  /// The same of the query's rows.
  std::int64_t query_tokens() const { return query_tokens_; }
  /// Context rows active in each layer run.
  const std::vector<std::vector<int>>& active_per_layer() const { return active_per_layer_; }

 private:
  /// Rows that attend in one call: all of them, or the context's and the query's apart where only the latter are tempered.
  struct Call {
    std::int64_t first = 0, count = 0;
    Visibility visible, window;        ///< window: of layers that attend within the sliding window
    std::optional<Visibility> chunks;  ///< split softmax: the chunks' side; `visible` is the other one
    std::optional<Temper> temper;
  };

  void apply_filter(const LayerFilter& filter, LayerCache& cache);
  void keep_rows(const std::vector<int>& survivors);
  void blend(const LayerCache& cache) const;
  void correct(LayerCache& cache, const Tensor& unrotated);
  void build_keys(const std::vector<int>& overlaid);
  void build_lane_keys();
  void build_visibility();
  Call make_call(std::int64_t first, std::int64_t count, bool tempered) const;
  void attend(const Call& call);

  const Model& model_;
  Queue& queue_;
  PassSpec spec_;
  int layer_ = 0;
  std::vector<int> active_;
  Activations rows_;
  std::vector<LayerCache> caches_;
  std::vector<Tensor> unrotated_;
  Tensor unrotated_q_;
  std::shared_ptr<const KeyList> keys_;
  std::vector<int> overlaid_;  ///< sequence indices that keys_ reads from the overlay, in overlay order
  std::vector<Call> calls_;
  std::vector<Visibility::Interval> lane_seen_;  ///< [active], entries of keys_
  std::int64_t layer_tokens_ = 0, query_tokens_ = 0;
  std::vector<std::vector<int>> active_per_layer_;
};

}  // namespace kvmend
