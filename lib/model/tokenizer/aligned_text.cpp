#include "model/tokenizer/aligned_text.h"

#include "core/utf8.h"

namespace kvmend {

AlignedText AlignedText::slice(TextRange range) const {
  AlignedText part;
  part.text = text.substr(range.begin, range.end - range.begin);
  part.origin = source(range.begin);
  if (!bounds.empty()) part.bounds.assign(bounds.begin() + range.begin, bounds.begin() + range.end + 1);
  return part;
}

// Boundaries are written only once something differs, so that unchanged text costs a copy and no table.
void AlignedEdit::start_bounds() {
  changed_ = true;
  out_.bounds.reserve(from_.text.size() + from_.text.size() / 2 + 2);
  for (std::size_t i = 0; i <= at_; ++i) out_.bounds.push_back(from_.source(i));
}

void AlignedEdit::keep_to(std::size_t end) {
  out_.text.append(from_.text, at_, end - at_);
  if (changed_) {
    for (std::size_t i = at_ + 1; i <= end; ++i) out_.bounds.push_back(from_.source(i));
  }
  at_ = end;
}

void AlignedEdit::replace_to(std::size_t end, std::string_view with) {
  if (!changed_) start_bounds();
  const std::uint64_t low = from_.source(at_);
  const std::uint64_t high = from_.source(end);
  for (std::size_t i = 1; i <= with.size(); ++i) {
    out_.bounds.push_back(static_cast<std::uint32_t>(low + (high - low) * i / with.size()));
  }
  out_.text.append(with);
  if (with.empty() && !out_.text.empty()) out_.bounds.back() = static_cast<std::uint32_t>(high);
  at_ = end;
}

AlignedText AlignedEdit::finish() {
  keep_to(from_.text.size());
  out_.origin = from_.origin;
  return std::move(out_);
}

AlignedText read_as_utf8(std::string_view input) {
  AlignedText raw{std::string(input), 0, {}};
  std::size_t bad = utf8::find_invalid(input);
  if (bad == input.size()) return raw;
  AlignedEdit edit(raw);
  while (bad < input.size()) {
    edit.keep_to(bad);
    edit.replace_to(bad + 1, utf8::replacement);
    bad = bad + 1 + utf8::find_invalid(input.substr(bad + 1));
  }
  return edit.finish();
}

}  // namespace kvmend
