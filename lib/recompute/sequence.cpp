#include "recompute/sequence.h"

#include <numeric>

namespace kvmend {

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
