#pragma once
// What a sweep needs and this machine does not have: models and data sets.
#include <string>
#include <vector>

#include "experiment/config/config.h"

namespace kvmend {

/// A line each: the model under test, auxiliary models, and all data sets together, with the command that brings them. Files
/// are looked for, not opened. Empty: everything is there.
std::vector<std::string> missing_inputs(const Config& config);

/// The config itself. Throws Error(data) with missing_inputs' lines.
const Config& require_inputs(const Config& config);

}  // namespace kvmend
