#pragma once
#include <string_view>

#include "core/value.h"

namespace kvmend {

/// A Value of JSON text that we wrote (Value::canonical). Throws Error(data); `what` names the text.
Value parse_json_value(std::string_view json, std::string_view what);

}  // namespace kvmend
