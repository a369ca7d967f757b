#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

struct MergeReport {
  std::int64_t results = 0;            ///< in the merged store
  std::int64_t added = 0;              ///< by this call
  std::vector<std::string> missing;    ///< "prophetkv at 0.2 on ruler/vt lacks 3 of 50 samples"
  std::vector<std::string> conflicts;  ///< results that two stores hold with different predictions; the first one stays
};

/// Copies what `from` hold into `into` (made if missing). Idempotent and order-free but for conflicts. A store that fails to
/// open, or whose sample differs from one already there under the same key, throws Error(data) before that store is begun.
MergeReport merge_stores(const std::filesystem::path& into, const std::vector<std::filesystem::path>& from);

struct RescoreReport {
  std::int64_t results = 0, changed = 0;
};
/// Every stored prediction scored again by its sample's metric.
RescoreReport rescore(const std::filesystem::path& store);

}  // namespace kvmend
