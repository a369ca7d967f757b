#pragma once
#include <string>

#include "core/value.h"

namespace kvmend {

/// A CSV field by RFC 4180: quotes around what holds a comma, a quote or a line break; null is empty.
std::string csv_field(const Value& value);

}  // namespace kvmend
