#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "core/value.h"

namespace kvmend {

/// What a document may hold before it is refused as hostile.
struct YamlLimits {
  std::size_t bytes = std::size_t{4} << 20;
  std::size_t nodes = 100'000;  ///< after aliases are expanded
  int depth = 64;
};

/// One YAML 1.2 document as a Value in which every value and key knows its place (1-based line, column in characters).
/// Stricter than YAML: duplicate keys, keys that are not strings, tabs in indentation, tags, several documents and
/// invalid UTF-8 are errors. `name` stands for the file in messages. Throws Error(usage). An empty document is null.
Value read_yaml(std::string_view text, const std::string& name, const YamlLimits& limits = {});

/// As read_yaml; throws Error(usage) if the file cannot be read.
Value read_yaml_file(const std::filesystem::path& path);

}  // namespace kvmend
