#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// Scores one prediction against its references: 0 (wrong) to 1 (right).
struct MetricInfo {
  std::string name;     ///< string_match_all, f1, …
  std::string summary;  ///< one line: the rule
  std::string source;
  double (*score)(std::string_view prediction, const std::vector<std::string>& references,
                  const std::vector<std::string>& all_classes);
  /// Throws Error(data) where data that the metric needs is missing; null: it needs none. Tasks call it before a run.
  void (*check)() = nullptr;
};

const std::vector<MetricInfo>& metrics();
/// Throws Error(usage) with the nearest name.
const MetricInfo& find_metric(std::string_view name);

}  // namespace kvmend
