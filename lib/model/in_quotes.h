#pragma once
#include <string>
#include <string_view>

namespace kvmend {

/// A name out of a file we do not trust, fit for a message: in quotes, control and non-ASCII bytes escaped, cut
/// after 60 characters.
std::string in_quotes(std::string_view text);

}  // namespace kvmend
