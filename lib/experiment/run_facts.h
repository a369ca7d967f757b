#pragma once
// What a store's runs say about their strategies and models beside the cells. A cell's key is everything its results depend
// on; how sure a detail is, is none of that, and its words may change without a new result.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "experiment/store.h"

namespace kvmend {

/// For a run's record: {name: {version, source, labels}} of every strategy that the config runs, parts of others included.
Value describe_strategies(const Config& config);

class RunFacts {
 public:
  explicit RunFacts(Store& store);

  /// "[2] algorithm 1; [O] query_span": of the cell's strategy in the version that ran, as the newest run with it says; of a
  /// store that is older than such records, as this program says; "" where that has another version or no such strategy.
  std::string labels(const CellRecord& cell) const;
  /// Of the cell's model and dtype, all layers; nullopt where no run of that model noted it.
  std::optional<double> kv_bytes_per_token(const CellRecord& cell) const;

 private:
  using Versioned = std::pair<std::string, std::int64_t>;  ///< a strategy's name and version
  std::map<Versioned, std::string> labels_;
  std::map<std::pair<std::string, std::string>, double> kv_bytes_;  ///< by weights and dtype
};

}  // namespace kvmend
