#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "experiment/store/store.h"

namespace kvmend {

struct FailedResults {
  std::int64_t count = 0;
  std::vector<std::string> lines;  ///< "epic at 0.2 on ruler/vt, sample vt-42-0: why"
};

/// Of the cells with these keys; the first `most` with a line each. Throws Error(data).
FailedResults failed_results(Store& store, const std::set<std::string>& keys, std::size_t most);

}  // namespace kvmend
