#pragma once
#include <yaml-cpp/mark.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// A YAML file's bytes with what the parser leaves to us: places in characters, and the checks it does not make.
class YamlText {
 public:
  /// A byte order mark is skipped. `name` stands for the file in messages.
  YamlText(std::string_view content, std::string name);

  std::string_view content() const { return content_; }
  /// The parser counts bytes from 0; people count characters from 1.
  Location where(const YAML::Mark& mark) const;
  [[noreturn]] void fail_at(const YAML::Mark& mark, const std::string& message) const;

  /// Throws Error(usage) for invalid UTF-8, NUL and other control characters, and tabs in indentation.
  void check_bytes() const;
  /// The parser reads an unclosed quote to the end of the file without a word: throws Error(usage) instead.
  void check_closed_quote(const YAML::Mark& mark) const;

 private:
  Location where(std::size_t line, std::size_t byte_column) const;
  [[noreturn]] void fail_at_offset(std::size_t offset, const std::string& message) const;
  std::string_view line_text(std::size_t line) const;

  std::string_view content_;
  std::string name_;
  std::vector<std::size_t> line_starts_;
};

}  // namespace kvmend
