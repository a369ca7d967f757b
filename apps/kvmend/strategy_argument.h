#pragma once
#include <memory>
#include <string>
#include <vector>

#include "recompute/strategy.h"

namespace kvmend {

/// The same where a list is an axis: 'random: {seed: [1, 2]}' gives two strategies.
std::vector<std::shared_ptr<const Strategy>> parse_strategy_arguments(const std::string& text);

/// "prophetkv" or "prophetkv: {fusion: max}", as a config's list would hold it. Throws Error(usage) with every error.
std::shared_ptr<const Strategy> parse_strategy_argument(const std::string& text);

}  // namespace kvmend
