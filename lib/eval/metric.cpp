#include "eval/metric.h"

#include "core/error.h"
#include "core/suggest.h"
#include "eval/metrics/scores.h"

namespace kvmend {

const std::vector<MetricInfo>& metrics() {
  // A new metric is a function in metrics/ and a line here.
  static const std::vector<MetricInfo> table = {
      {"string_match_all", "mean share of the references that occur in the prediction, case ignored", "RULER",
       string_match_all},
      {"string_match_part", "1 if any reference occurs in the prediction, case ignored", "RULER", string_match_part},
      {"f1", "F1 of the normalised words as multisets, best over the references", "LongBench, SQuAD", f1},
      {"exact_match", "1 if the normalised prediction equals a normalised reference", "SQuAD", exact_match},
      {"substring", "1 if a normalised reference occurs in the normalised prediction", "arXiv 2307.03172", substring},
      {"keyword_recall", "share of a reference's content words found in the prediction, best over the references",
       "ours, for needle grids", keyword_recall},
      {"rouge_l", "summary-level ROUGE-L as the Python package rouge 1.x computes it, best over the references",
       "LongBench", rouge_l},
  };
  return table;
}

const MetricInfo& find_metric(std::string_view name) {
  std::vector<std::string> known;
  for (const MetricInfo& metric : metrics()) {
    if (metric.name == name) return metric;
    known.push_back(metric.name);
  }
  fail(ErrorKind::usage, "unknown metric '{}'{}", name, did_you_mean(name, known));
}

}  // namespace kvmend
