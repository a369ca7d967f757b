#pragma once
#include <span>

#include "recompute/request.h"

namespace kvmend {

/// The same query behind these units only, in this order. Byte spans still point into the original text.
Request arrange(const Request& request, std::span<const int> units);

/// Numbers of a request's units with its chunks in another order: the prefix, then chunk order[0], order[1] …
std::vector<int> units_in_order(std::span<const Unit> all, std::span<const int> order);

/// For each index of the arranged context, the one it had before.
std::vector<int> original_indices(std::span<const Unit> all, std::span<const int> units);

}  // namespace kvmend
