#pragma once
#include <filesystem>
#include <string>

#include "catch.h"
#include "core/file.h"
#include "paths.h"

namespace kvmend {

/// Compares with tests/data/experiment/NAME. What differs is written below the build folder, to be looked at and copied.
inline void check_golden(const std::string& name, const std::string& actual) {
  const auto golden = std::filesystem::path(source_folder()) / "tests/data/experiment" / name;
  const std::string expected = std::filesystem::exists(golden) ? read_file(golden) : "";
  if (actual == expected) {
    SUCCEED();
    return;
  }
  const auto copy = std::filesystem::path(binary_folder()) / "golden/experiment" / name;
  write_file_atomically(copy, actual);
  INFO("differs from " << golden.string() << "; if it is right: cp " << copy.string() << " " << golden.string());
  CHECK(actual == expected);
}

}  // namespace kvmend
