#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// Where the first of the stop texts begins, npos if none occurs. Line breaks that begin an answer end nothing: "the
/// first line" of LongBench's scorer is the first one with something in it.
std::size_t find_stop(std::string_view answer, const std::vector<std::string>& stops);

/// The answer up to the first stop text.
std::string cut_at_stop(std::string answer, const std::vector<std::string>& stops);

}  // namespace kvmend
