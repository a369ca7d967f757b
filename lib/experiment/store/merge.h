#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace kvmend {

struct MergeReport {
  std::int64_t results = 0;            ///< in the merged store
  std::int64_t added = 0;              ///< by this call
  std::vector<std::string> missing;    ///< "shard 3/4 of x: …", "prophetkv at 0.2 on ruler/vt lacks 3 of 50 samples"
  std::vector<std::string> conflicts;  ///< results that two stores hold with different predictions; the first one stays
  std::set<std::string> redacted;      ///< tasks that the merged store has no texts of
};

struct MergeOptions {
  bool mixed = false;                    ///< stores of different sweeps, too
  std::vector<std::string> redact = {};  ///< tasks whose texts the merged store goes without (store/redact.h)
};

/// Copies what `from` hold into `into` (made if missing): runs as they were, each result with the run that computed it.
/// Idempotent and order-free but for conflicts. Unless `mixed`, the stores' last runs must have the same cells, that is agree on
/// config, model and data: else Error(usage) says in what they differ, and nothing is written; so do a task to redact that no
/// store has and, `mixed` or not, a task that two stores score by different metrics. A store that fails to open throws Error(data)
/// before anything is written; one whose sample differs from one already there under the same key does before that sample is.
/// The stores merged are never changed.
/// A task that one of the stores has no texts of is redacted in `into` as well, for a mixture would be published by mistake;
/// what `into` has of its texts is overwritten only where `redact` names it, else Error(usage).
MergeReport merge_stores(const std::filesystem::path& into, const std::vector<std::filesystem::path>& from,
                         const MergeOptions& options = {});

struct RescoreReport {
  std::int64_t results = 0, changed = 0;
};
/// Every stored prediction scored again by its sample's metric: all of them, or after an error none.
RescoreReport rescore(const std::filesystem::path& store);

}  // namespace kvmend
