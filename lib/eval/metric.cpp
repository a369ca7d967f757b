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
      {"f1_zh", "F1 of the normalised words that jieba finds, best over the references", "LongBench", f1_zh,
       check_chinese},
      {"rouge_l_zh", "rouge_l over the words that jieba finds, best over the references", "LongBench", rouge_l_zh,
       check_chinese},
      {"classification", "1 / classes named if the right one is among them, as LongBench's scorer counts", "LongBench",
       classification},
      {"classification_strict", "the same, looking at every class (upstream skips some while it removes others)",
       "ours", classification_strict},
      {"count", "share of the prediction's numbers that equal the reference", "LongBench", count_score},
      {"retrieval", "share of the prediction's numbers that are the reference's 'Paragraph N'", "LongBench", retrieval},
      {"retrieval_zh", "the same for '\u6bb5\u843dN'", "LongBench", retrieval_zh},
      {"code_similarity", "edit similarity of the first line of code, in whole percent",
       "LongBench (fuzzywuzzy, difflib)", code_similarity},
  };
  return table;
}

const MetricInfo& find_metric(std::string_view name) {
  std::vector<std::string> known;
  for (const MetricInfo& metric : metrics()) {
    if (metric.name == name) return metric;
    known.push_back(metric.name);
  }
  fail(ErrorKind::usage, "unknown metric '{}'{}", name,
       nearest_name(name, known).empty() ? "; 'kvmend list metrics' explains them" : did_you_mean(name, known));
}

}  // namespace kvmend
