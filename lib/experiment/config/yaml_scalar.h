#pragma once
#include <string_view>

#include "core/value.h"

namespace kvmend {

/// The value of a plain (unquoted) scalar by YAML 1.2's core schema: `1e-3`, `0x10`, `0o17`, `.inf`, `true`, `null`;
/// everything else, `no` and `on` included, is a string. Throws Error(usage) with the place for a number that
/// 64 bits cannot hold.
Value plain_scalar(std::string_view text, const Location& where);

}  // namespace kvmend
