#pragma once
#include <span>
#include <string>

namespace kvmend {

namespace longbench {
enum Flag : unsigned {
  chinese = 1,
  raw = 2,         ///< sent without a chat format: examples to continue, and code
  first_line = 4,  ///< only the first line of an answer counts
  even = 8,        ///< LongBench-E holds it, too
};
}  // namespace longbench

/// One of LongBench's data sets (arXiv 2308.14508, table 1 and the benchmark's own configuration).
struct LongBenchSubset {
  const char* name;
  const char* summary;
  const char* metric;
  int max_new_tokens;
  const char* category;  ///< single_doc_qa, multi_doc_qa, summarization, few_shot, synthetic, code
  unsigned flags = 0;    ///< of longbench::Flag

  bool has(unsigned flag) const { return (flags & flag) != 0; }
};

std::span<const LongBenchSubset> longbench_subsets();
/// Throws Error(internal) for a name that is none.
const LongBenchSubset& longbench_subset(const std::string& name);

}  // namespace kvmend
