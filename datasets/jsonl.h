#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/params.h"
#include "core/value.h"

namespace kvmend {

/// What to do with a line that cannot be read.
enum class OnError : std::uint8_t { error, skip };
template <>
struct EnumNames<OnError> {
  static constexpr std::array names{std::pair{OnError::error, "error"}, std::pair{OnError::skip, "skip"}};
};

struct JsonlReport {
  std::string sha256;                ///< of the whole file
  int lines = 0;                     ///< lines with content
  std::vector<std::string> skipped;  ///< messages of the lines left out
};

/// Calls `read` with each line's value. A line that is no JSON, or that `read` refuses by throwing Error, ends the
/// reading with that error (it names file:line:column) or is skipped and reported.
JsonlReport read_jsonl(const std::filesystem::path& path, OnError on_error,
                       const std::function<void(const Value& line)>& read);

}  // namespace kvmend
