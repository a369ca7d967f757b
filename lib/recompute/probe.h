#pragma once
// What a selector may ask about a request. An answer is computed once per request and shared by every
// selector and ratio that asks the same; its full cost is charged to each of them as if it had run alone. std
// types only.
#include <cstdint>
#include <span>
#include <vector>

#include "recompute/request.h"
#include "recompute/strategy.h"

namespace kvmend {

/// Attention of query rows to the context, over the reused cache at global positions.
struct AttentionProbe {
  enum class Rows : std::uint8_t { question, suffix };  ///< the question's tokens, or the whole query
  enum class States : std::uint8_t { suffix, alone };   ///< the query attends to context and itself, or to itself only
  enum class Softmax : std::uint8_t { context, context_and_query };
  enum class Heads : std::uint8_t { sum, mean };
  enum class Reduce : std::uint8_t { sum, max, l2 };
  Rows rows = Rows::question;
  States states = States::suffix;
  Softmax softmax = Softmax::context;
  Heads heads = Heads::sum;
  Reduce reduce = Reduce::sum;  ///< over query rows, after the heads
  std::vector<int> layers;      ///< sorted; empty: all
};

class Probe {
 public:
  virtual ~Probe() = default;
  virtual const Request& request() const = 0;
  virtual int n_layers() const = 0;
  /// Candidates for recomputation: N, or N + Q − 1 with last_token freshness.
  virtual int n_candidates() const = 0;
  /// Whether recomputing row i changes nothing: unit 0, and the first chunk where it was prefilled behind the
  /// prefix.
  virtual bool is_exact(int i) const = 0;
  /// [layers asked, N]: one row a layer.
  virtual std::vector<std::span<const float>> attention(const AttentionProbe& what) = 0;
  /// The sample's id, "" outside a run: what score files are looked up by.
  virtual const std::string& sample_id() const = 0;
};

}  // namespace kvmend
