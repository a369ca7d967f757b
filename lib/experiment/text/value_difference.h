#pragma once
// In what two configured values differ, in the words of messages.
#include <optional>
#include <string>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// `path` by dots ("tasks.1.params.length"); both values as text, long ones cut.
struct ValueDifference {
  std::string path, a, b;
};

/// The first place where two trees differ: the deepest map or list that both have there.
std::optional<ValueDifference> first_difference(const Value& a, const Value& b, const std::string& path = "");

/// Every key whose values differ, the values as a whole.
std::vector<ValueDifference> entry_differences(const Value& a, const Value& b);

}  // namespace kvmend
