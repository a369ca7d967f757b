#include "experiment/config/yaml_text.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/utf8.h"

namespace kvmend {

YamlText::YamlText(std::string_view content, std::string name) : content_(content), name_(std::move(name)) {
  if (content_.starts_with("\xEF\xBB\xBF")) content_.remove_prefix(3);
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < content_.size(); ++i) {
    if (content_[i] == '\n') line_starts_.push_back(i + 1);
  }
}

std::string_view YamlText::line_text(std::size_t line) const {
  if (line >= line_starts_.size()) return {};
  const std::size_t end = line + 1 < line_starts_.size() ? line_starts_[line + 1] - 1 : content_.size();
  return content_.substr(line_starts_[line], end - line_starts_[line]);
}

Location YamlText::where(std::size_t line, std::size_t byte_column) const {
  const std::string_view before = line_text(line).substr(0, byte_column);
  const std::size_t beyond = byte_column - before.size();
  return {name_, static_cast<int>(line) + 1, static_cast<int>(utf8::count(before) + beyond) + 1};
}

Location YamlText::where(const YAML::Mark& mark) const {
  return where(static_cast<std::size_t>(std::max(mark.line, 0)), static_cast<std::size_t>(std::max(mark.column, 0)));
}

void YamlText::fail_at(const YAML::Mark& mark, const std::string& message) const {
  fail(ErrorKind::usage, "{}{}", where(mark).prefix(), message);
}

void YamlText::fail_at_offset(std::size_t offset, const std::string& message) const {
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::size_t line = static_cast<std::size_t>(next - line_starts_.begin()) - 1;
  fail(ErrorKind::usage, "{}{}", where(line, offset - line_starts_[line]).prefix(), message);
}

void YamlText::check_bytes() const {
  bool indenting = true;
  for (std::size_t i = 0; i < content_.size();) {
    const unsigned char c = static_cast<unsigned char>(content_[i]);
    const std::size_t size = utf8::decode(content_, i).length;
    if (size == 0) fail_at_offset(i, fmt::format("invalid UTF-8 (byte 0x{:02x}); save the file as UTF-8", c));
    if (c == 0) fail_at_offset(i, "a NUL byte; is this UTF-16 or not a text file?");
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F) {
      fail_at_offset(i, fmt::format("control character 0x{:02x}", c));
    }
    if (c == '\t' && indenting) fail_at_offset(i, "a tab in the indentation; YAML indents with spaces");
    if (c == '\n') {
      indenting = true;
    } else if (c != ' ') {
      indenting = false;
    }
    i += size;
  }
}

void YamlText::check_closed_quote(const YAML::Mark& mark) const {
  std::size_t i = line_starts_[static_cast<std::size_t>(mark.line)] + static_cast<std::size_t>(mark.column);
  while (i < content_.size() &&
         (content_[i] == '&' || content_[i] == '!')) {  // an anchor or tag stands before the text
    i = std::min(content_.find_first_of(" \n", i), content_.size());
    i = std::min(content_.find_first_not_of(" \r\n", i), content_.size());
  }
  if (i >= content_.size() || (content_[i] != '"' && content_[i] != '\'')) return;  // a block scalar needs no end
  const char quote = content_[i];
  for (std::size_t j = i + 1; j < content_.size(); ++j) {
    if (quote == '"' && content_[j] == '\\') {
      ++j;
    } else if (content_[j] == quote) {
      if (quote == '\'' && j + 1 < content_.size() && content_[j + 1] == '\'') {
        ++j;
      } else {
        return;
      }
    }
  }
  fail_at_offset(i, fmt::format("the quote {} is never closed", quote));
}

}  // namespace kvmend
