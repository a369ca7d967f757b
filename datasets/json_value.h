#pragma once
#include <string>
#include <string_view>

#include "core/value.h"

namespace kvmend {

/// Parses one JSON text into a Value whose parts know their line and column (in bytes), counted from `first_line`.
/// Throws Error(data) "NAME:line:column: …" for anything that is no JSON, for duplicate keys, unsigned integers that do
/// not fit 63 bits (longer ones are doubles) and nesting deeper than 100.
Value parse_json(std::string_view text, const std::string& name, int first_line = 1);

}  // namespace kvmend
