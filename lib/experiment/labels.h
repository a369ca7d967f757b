#pragma once
#include <string>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// "name (a: 1, b: 2)" over the parameters in which maps with the same name differ; `labels` gets one text an entry.
/// Only entries whose current label occurs more than once change.
void tell_apart(std::vector<std::string>& labels, const std::vector<Value>& params);

}  // namespace kvmend
