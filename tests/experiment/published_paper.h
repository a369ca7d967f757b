#pragma once
// A paper's table as results/published has them, made up: its strategies and tasks are those of graded.h's store, and more.
#include "experiment/compare/published.h"
#include "temp_folder.h"

namespace kvmend {

inline const std::string paper = R"(title: "A paper, its table 1"
source: "arXiv 0000.00000"
note: "made up"
values:
  - {model: Big-8B, strategy: prophetkv, ratio: 0.5, task: ruler/vt, score: 90}
  - {model: Big-8B, strategy: full, task: ruler/all, score: 95.5}
  - {model: Big-8B, strategy: samkv, ratio: 0.5, task: ruler/vt, score: 80}
  - {model: Big-8B, strategy: prophetkv, ratio: 0.15, task: ruler/vt, score: 70}
claims:
  - {says: "context helps", better: full, than: no_context, task: ruler/all, theirs: "+50"}
  - {says: "no context is better", better: no_context, than: full, task: ruler/vt}
  - {says: "selecting beats chance", better: prophetkv, than: random, ratio: 0.2, task: ruler/all}
  - {says: "half keeps half", better: prophetkv, than: full, factor: 0.5, ratio: 0.5, task: ruler/all, theirs: "60 %"}
  - {says: "it beats another", better: prophetkv, than: samkv, ratio: 0.5, task: ruler/vt}
  - {says: "on another task", better: full, than: no_context, task: ruler/niah_single_2}
  - {says: "it is fast", not_tested: "a time"}
)";

inline Published published(const std::string& text = paper) {
  const TempFolder folder;
  return read_published(folder.write("paper.yaml", text));
}

}  // namespace kvmend
