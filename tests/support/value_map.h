#pragma once
#include <initializer_list>
#include <utility>

#include "core/value.h"

namespace kvmend::test {

/// A map in the order written, as parameters are given.
inline Value map(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value out{Value::Map{}};
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}

}  // namespace kvmend::test
