#pragma once
// What a selector may ask about a request. An answer is computed once per request and shared by every
// selector and ratio that asks the same; its full cost is charged to each of them as if it had run alone. std
// types only.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "recompute/plan.h"
#include "recompute/request.h"
#include "recompute/strategy.h"

namespace kvmend {

/// Which keys and values a probe sees: the chunks' own, or those of a full prefill (oracles only: it costs one).
enum class CacheSource : std::uint8_t { reused, full };

/// Attention of query rows to the context, reduced over heads and rows.
struct AttentionProbe {
  enum class Rows : std::uint8_t {
    question,
    suffix,
    last
  };                                                    ///< the question's tokens, the whole query, its last token
  enum class Query : std::uint8_t { in_place, alone };  ///< the whole query runs, or only the question, tokenised alone
  enum class States : std::uint8_t { suffix, alone };   ///< the query attends to context and itself, or to itself only
  enum class Softmax : std::uint8_t { context, context_and_query };
  enum class Heads : std::uint8_t { sum, mean };
  /// Over query rows, after the heads; entropy: −Σ (p + 1e-10)·ln(p + 1e-10).
  enum class Reduce : std::uint8_t { sum, max, l2, entropy };
  /// value_norm: each KV head's column sum times ‖v_j‖ of that head, then summed; heads and reduce must be sums.
  enum class Weight : std::uint8_t { none, value_norm };
  Rows rows = Rows::question;
  Query query = Query::in_place;
  States states = States::suffix;
  Softmax softmax = Softmax::context;
  Heads heads = Heads::sum;
  Reduce reduce = Reduce::sum;
  Weight weight = Weight::none;
  CacheSource cache = CacheSource::reused;
  Placement placement = Placement::global;  ///< of the reused keys
  std::optional<int> query_position;        ///< of the query's (or question's) first token; nullopt: N
  std::vector<int> layers;                  ///< increasing; empty: all
  /// Context tokens that the query attends to on its way through the layers, sorted; nullopt: all. All are scored.
  std::optional<std::vector<int>> kept;
};

/// Named intermediates of a pass.
struct Observation {
  enum class Rows : std::uint8_t { query, context };  ///< the query over the reused cache, or every context token exact
  enum class What : std::uint8_t { hidden, q, k, v };  ///< the layer's input; q and k before RoPE
  Rows rows = Rows::query;
  What what = What::hidden;
  std::optional<std::vector<int>> kept;  ///< context tokens the query may see; nullopt: all
  std::vector<int> layers;  ///< increasing; empty: all. `hidden` of layer n_layers: what the last one gives
};

/// How far exact keys and values are from the cached ones: Σ_dims (new − cached)², 0 where nothing can have changed them.
struct KvDeviation {
  std::vector<std::span<const float>> keys, values;  ///< [layers asked], each [N]
};

/// Attention of exact chunk tokens, summed over heads: to the tokens of earlier chunks, and to those of their own chunk up
/// to themselves. The prefix has its share of the softmax and counts in neither; its own tokens have 0 of both.
struct ChunkAttention {
  std::span<const float> earlier, own;  ///< each [N]
};

/// The sizes that what is observed comes in.
struct ModelShape {
  int n_layers = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, d_model = 0;
};

/// Context tokens [begin, end).
struct TokenRange {
  int begin = 0, end = 0;
};

class Probe {
 public:
  virtual ~Probe() = default;
  virtual const Request& request() const = 0;
  virtual ModelShape shape() const = 0;
  int n_layers() const { return shape().n_layers; }
  /// Candidates for recomputation: N, or N + Q − 1 with last_token freshness.
  virtual int n_candidates() const = 0;
  /// Whether recomputing row i changes nothing: unit 0, and the first chunk where it was prefilled behind the
  /// prefix.
  virtual bool is_exact(int i) const = 0;
  /// Positions [N] that the reused keys have in a placement.
  virtual std::vector<std::int32_t> positions(Placement placement) const = 0;
  /// The sample's id, "" outside a run: what score files are looked up by.
  virtual const std::string& sample_id() const = 0;

  /// [layers asked], each [N].
  virtual std::vector<std::span<const float>> attention(const AttentionProbe& what) = 0;
  /// [layers asked], each [N]: the query behind each chunk alone, right behind prefix and chunk. A chunk's columns come from
  /// the softmax of its own query, the prefix's are 0. The queries run side by side in one pass. Neither placement, query
  /// position, value norms nor the full prefill can be asked for.
  virtual std::vector<std::span<const float>> attention_by_chunk(const AttentionProbe& what) = 0;
  /// Every row runs exactly up to the last layer asked; its keys and values are compared there.
  virtual KvDeviation kv_deviation(const std::vector<int>& layers) = 0;
  /// ‖hidden‖₂ [N] of every context token, computed exactly, at the input of `layer` (n_layers: after the last).
  virtual std::span<const float> hidden_norm(int layer) = 0;
  /// Every context row runs exactly up to `layer`, and attends there to all before it.
  virtual ChunkAttention chunk_attention(int layer) = 0;
  /// [layers asked], each [rows, width]: rows of the query or of the context.
  virtual std::vector<std::span<const float>> observe(const Observation& what) = 0;
  /// [N]: Σ over layers, heads and query rows of ‖A·v − A′·v′‖, A and v of a full prefill, A′ and v′ of full reuse: the
  /// triangle inequality's bound on the error of the query's attention output, a token at a time.
  virtual std::span<const float> output_change() = 0;

  /// Means over token ranges of what the units' own prefills had: queries and keys before RoPE, values. [n_layers], each
  /// [ranges, width]. Offline work: nothing is charged.
  virtual std::vector<std::span<const float>> cached_means(Observation::What what,
                                                           std::span<const TokenRange> ranges) = 0;

  /// A probe of the same query behind these units only, in this order (unit numbers; a prefix stays first). Its indices
  /// are those of the context so arranged. Lives as long as this one; what it is asked is charged here.
  virtual Probe& arranged(std::span<const int> units) = 0;

  /// Runs `work` with a probe on another model for the same prompt: the units and the query tokenised by its own
  /// tokenizer, with byte spans in the same text. It runs on CPU threads of its own beside loading and assembling this
  /// model's cache; its FLOPs are charged in full, its time where it is not hidden. Throws Error(usage) if the request
  /// has no text or a unit has no tokens there.
  virtual void auxiliary(const std::string& model, const std::function<void(Probe&)>& work) = 0;
};

}  // namespace kvmend
