#include "experiment/run/failed_results.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "experiment/text/labels.h"

namespace kvmend {

FailedResults failed_results(Store& store, const std::set<std::string>& keys, std::size_t most) {
  FailedResults out;
  const auto cells = store.cells();
  const auto ids = store.cell_ids();
  std::map<std::int64_t, std::string> names;
  for (const SampleRow& sample : store.samples()) names[sample.id] = sample.name;
  for (const ResultRow& row : store.results()) {
    if (!row.failed) continue;
    const auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), row.cell) - ids.begin());
    if (at >= cells.size() || !keys.contains(cells[at].key)) continue;
    ++out.count;
    if (out.lines.size() < most) {
      out.lines.push_back(fmt::format("{} on {}, sample {}: {}", at_ratio(cells[at].label, cells[at].ratio),
                                      cells[at].task, names[row.sample], row.error));
    }
  }
  return out;
}

}  // namespace kvmend
