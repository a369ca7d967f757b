#pragma once
#include <string>
#include <utility>
#include <vector>

namespace kvmend {

/// --where's "dimension=value" in two. Throws Error(usage) without an equals sign.
using Condition = std::pair<std::string, std::string>;
using Conditions = std::vector<Condition>;
Condition parse_condition(const std::string& text);

}  // namespace kvmend
