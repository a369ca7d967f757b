#include "experiment/table/coverage.h"

#include "experiment/selection/exact_rows.h"

namespace kvmend {
namespace {

bool can_equal_full(const CommonOptions& options) {
  return options.mask == MaskKind::exact && options.freshness == Freshness::all &&
         options.write_back == WriteBack::overwrite && options.temperature == 1 && options.temper_scale == 1;
}

}  // namespace

bool Coverage::equals_full(const ResultRow& row, const CellRecord& cell) {
  if (!cell.ratio || *cell.ratio >= 1 || row.n_context == 0 || row.dropped > 0 || row.reordered) return false;
  const auto [at, fresh] = options_.try_emplace(row.cell);
  if (fresh) at->second = stored_options(cell);
  if (!can_equal_full(at->second)) return false;
  std::int64_t exact = 0;
  for (const auto& [begin, end] : exact_rows(units_.at(row.sample), at->second)) exact += end - begin;
  return row.selected - row.exact_selected == row.n_context - exact;
}

}  // namespace kvmend
