#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// "name (a: 1, b: 2)" over the parameters in which maps with the same name differ; `labels` gets one text an entry.
/// Only entries whose current label occurs more than once change.
void tell_apart(std::vector<std::string>& labels, const std::vector<Value>& params);

/// "epic at 0.2": a label with its ratio, where it has one.
std::string at_ratio(const std::string& label, const std::optional<double>& ratio);

/// "ruler/cwe, ruler/fwe and 11 more": the first `most` of some names.
std::string listed(const std::vector<std::string>& names, std::size_t most);

}  // namespace kvmend
