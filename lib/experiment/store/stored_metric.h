#pragma once
// Which metric stored results are scored by. It is no part of a cell's key, for no prediction depends on it: whoever adds to a
// store sees to it that a cell is scored by one.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "experiment/store/store.h"

namespace kvmend {

/// Results of a task that were scored by another metric than is wanted.
struct MetricChange {
  std::string task, from, to;
  std::int64_t results = 0;  ///< scored again
};

/// From now on the samples of each of these prompts (CellKey::prompts) are judged by the metric beside them, and what is stored
/// of them is scored again: all in one transaction. What changed, by task. Throws Error(usage) for an unknown metric, Error(data)
/// as Store does.
std::vector<MetricChange> adopt_metrics(Store& store, const std::map<std::string, std::string>& metric_by_prompts);

/// Of several stores whose results are to stand in the same cells.
class CommonMetrics {
 public:
  /// Throws Error(usage) where prompts that a store before this one has, too, are judged by another metric: with the task, both
  /// metrics and both stores.
  void add(Store& store);

 private:
  struct Use {
    std::set<std::string> metrics;
    std::filesystem::path store;
  };
  std::map<std::string, Use> by_prompts_;
};

}  // namespace kvmend
