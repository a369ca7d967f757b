#pragma once
// What a strategy that sparsifies leaves in the cache (SamKV; no_context, which keeps the prefix), and the memory that saves.
#include <cstdint>
#include <optional>
#include <string>

#include "recompute/outcome.h"

namespace kvmend {

/// Context rows that the plan dropped.
std::int64_t dropped_rows(const Outcome& outcome, int n_context);

/// Bytes of KV cache that dropping rows saves; nullopt where nobody noted what a token takes (an old store's runs).
std::optional<double> memory_saved(std::int64_t dropped, std::optional<double> bytes_per_token);

/// "keeps 26 of 130 context rows (20.0 %), which saves 1.2 MiB of KV cache"; "" where everything is kept.
std::string kept_text(const Outcome& outcome, int n_context, std::optional<double> bytes_per_token);

}  // namespace kvmend
