#pragma once
#include <memory>
#include <string>

#include "recompute/strategy.h"

namespace kvmend {

/// "prophetkv" or "prophetkv: {fusion: max}", as a config's list would hold it. Throws Error(usage) with every error.
std::shared_ptr<const Strategy> parse_strategy_argument(const std::string& text);

}  // namespace kvmend
