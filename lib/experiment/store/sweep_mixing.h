#pragma once
// What a run adds to a store that holds results of other settings.
#include <span>
#include <string>

#include "experiment/store/store.h"

namespace kvmend {

/// One warning where cells that `wanted` adds stand for results in the store that `wanted` has no more: the same task with
/// other parameters or data, or another chunker, chat format, max_new_tokens, model … It names what differs, both values, and
/// what to do. Empty where the grid only grows: more samples, strategies, ratios, tasks, or values of an axis.
std::string mixing_warning(Store& store, std::span<const CellRecord> wanted);

}  // namespace kvmend
