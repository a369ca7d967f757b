#pragma once
#include <functional>
#include <string>
#include <vector>

#include "experiment/table/table.h"

namespace kvmend {

/// A --where that leaves a figure few enough parts, "--where ratio=0.2 --where 'chunker=fixed: 64'", and as many as can be:
/// one value of a dimension, else of two, and so on. `count`: the parts that cells make.
std::string fitting_where(const std::vector<const TableCell*>& cells, const std::vector<std::string>& dimensions,
                          std::size_t most,
                          const std::function<std::size_t(const std::vector<const TableCell*>&)>& count);

/// The dimensions that tell a figure's parts apart besides the strategy: the ratio, and `table`'s other rows.
std::vector<std::string> varying_dimensions(const Table& table);

}  // namespace kvmend
