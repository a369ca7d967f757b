#include "experiment/selection/kept.h"

#include <fmt/format.h>

#include "core/size_text.h"

namespace kvmend {

std::int64_t dropped_rows(const Outcome& outcome, int n_context) {
  return outcome.kept ? n_context - static_cast<std::int64_t>(outcome.kept->size()) : 0;
}

std::optional<double> memory_saved(std::int64_t dropped, std::optional<double> bytes_per_token) {
  if (dropped == 0) return 0;
  if (!bytes_per_token) return std::nullopt;
  return static_cast<double>(dropped) * *bytes_per_token;
}

std::string kept_text(const Outcome& outcome, int n_context, std::optional<double> bytes_per_token) {
  const std::int64_t dropped = dropped_rows(outcome, n_context);
  if (dropped == 0) return "";
  std::string out = fmt::format("keeps {} of {} context rows ({:.1f} %)", n_context - dropped, n_context,
                                100 * kept_fraction(outcome, n_context));
  if (const auto saved = memory_saved(dropped, bytes_per_token))
    out += fmt::format(", which saves {} of KV cache", size_text(*saved));
  return out;
}

}  // namespace kvmend
