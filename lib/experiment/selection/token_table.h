#pragma once
#include <cstdint>
#include <vector>

namespace kvmend {

/// Token ids with their byte spans in the text.
struct TokenTable {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> begin, end;  ///< empty, or one an id
};

}  // namespace kvmend
