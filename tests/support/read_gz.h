#pragma once
#include <zlib.h>

#include <array>
#include <string>

#include "catch.h"

namespace kvmend {

/// A gzip file's whole content.
inline std::string read_gz(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string out;
  std::array<char, 1 << 16> block{};
  int count = 0;
  while ((count = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    out.append(block.data(), static_cast<std::size_t>(count));
  }
  gzclose(file);
  REQUIRE(count == 0);
  return out;
}

}  // namespace kvmend
