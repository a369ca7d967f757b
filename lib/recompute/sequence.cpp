#include "recompute/sequence.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace kvmend {

int Sequence::first_seen(const ModelConfig& config, int layer, int i) const {
  if (!config.is_windowed(layer)) return 0;
  const int first = positions[static_cast<std::size_t>(i)] - config.sliding_window + 1;
  return static_cast<int>(std::lower_bound(positions.begin(), positions.end(), first) - positions.begin());
}

bool Sequence::unchanged(const ModelConfig& config, int layer, int i) const {
  if (exact[static_cast<std::size_t>(i)]) return true;
  int reach = 0;  // tokens before it that its state in this layer depends on
  for (int below = 0; below < layer; ++below) {
    if (!config.is_windowed(below)) return false;
    reach += config.sliding_window - 1;
  }
  return behind[static_cast<std::size_t>(i)] >= reach;
}

void check_windows(std::span<const std::int32_t> positions) {
  if (std::is_sorted(positions.begin(), positions.end())) return;
  fail(ErrorKind::usage,
       "this model's layers attend within a sliding window, which holds only where positions follow the tokens' order");
}

Sequence make_sequence(std::span<const std::int32_t> ids) {
  Sequence sequence;
  sequence.ids.assign(ids.begin(), ids.end());
  sequence.positions.resize(ids.size());
  std::iota(sequence.positions.begin(), sequence.positions.end(), 0);
  sequence.n_context = sequence.size();
  return sequence;
}

Sequence make_sequence(const Request& request) {
  std::vector<std::int32_t> ids = request.context_ids;
  ids.insert(ids.end(), request.query_ids.begin(), request.query_ids.end());
  Sequence sequence = make_sequence(ids);
  sequence.n_context = request.n_context();
  for (std::size_t u = 0; u < request.units.size(); ++u) {
    sequence.units.insert(sequence.units.end(), static_cast<std::size_t>(request.units[u].size()), static_cast<int>(u));
  }
  if (request.has_prefix()) sequence.prefix_end = request.units.front().end;
  return sequence;
}

}  // namespace kvmend
