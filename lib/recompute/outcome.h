#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace kvmend {

/// Wall-clock seconds of one request by phase. ttft is their sum. `load` is what loading alone exposes: where caches
/// stream layer by layer it is reckoned from what each layer took and the work beside it (recompute/exposed_load.h).
struct PhaseSeconds {
  double load = 0, place = 0, select = 0, recompute = 0, query = 0, first_token = 0;
  double ttft() const { return load + place + select + recompute + query + first_token; }
};

/// What one strategy at one ratio did with one request: `select --json`'s fields and the store's `results` row.
/// Indices are context indices, 0 the first token of the prefix.
struct Outcome {
  std::vector<int> selected;                                        ///< sorted; after the last selecting layer
  std::optional<std::vector<std::vector<int>>> selected_per_layer;  ///< only where it differs by layer
  std::optional<std::vector<int>> kept;                             ///< nullopt: all
  std::optional<std::vector<int>> selected_query;                   ///< last_token freshness
  std::optional<std::vector<int>> order;  ///< chunk numbers as the plan reordered them; indices are of that context …
  std::optional<std::vector<int>> selected_original;  ///< … and these of the given one
  std::vector<int> decode_selected;                   ///< context tokens recomputed while decoding; sorted
  double decode_flops = 0;                            ///< of that recomputation
  std::vector<float> scores;                          ///< [N] or empty where the strategy scores nothing
  std::int64_t exact_selected = 0;  ///< selected rows that were exact already: budget spent on nothing
  std::int64_t layer_tokens = 0;    ///< Σ over layers of context rows that ran attention and MLP
  double effective_ratio = 0;       ///< layer_tokens / (L · N)
  double flops = 0;                 ///< method + probes + query, up to and with the first token
  double flops_ratio = 0;           ///< flops / full prefill's
  double bytes = 0;
  PhaseSeconds seconds;
  std::int32_t first_token = 0;
  std::vector<std::int32_t> prediction_ids;  ///< without the stop token
  double decode_seconds = 0;
  std::string error;                           ///< why this cell failed; empty: it did not
  ErrorKind error_kind = ErrorKind::internal;  ///< who has to act on the error, where there is one
};

/// Share of the context that stays in the cache; the rest is memory saved.
inline double kept_fraction(const Outcome& outcome, int n_context) {
  return outcome.kept && n_context > 0 ? static_cast<double>(outcome.kept->size()) / n_context : 1;
}

}  // namespace kvmend
