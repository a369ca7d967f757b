#include "experiment/text/value_difference.h"

#include "core/utf8.h"

namespace kvmend {
namespace {

/// Cut between characters: a path or a system message may hold any.
std::string shortened(const Value* value) {
  constexpr std::size_t longest = 60;
  std::string text = !value ? "nothing" : value->is_string() ? value->as_string() : value->flow();
  if (text.size() <= longest) return text;
  return text.substr(0, utf8::floor_boundary(text, longest)) + "…";
}

}  // namespace

std::optional<ValueDifference> first_difference(const Value& a, const Value& b, const std::string& path) {
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (a.is_map() && b.is_map()) {
    for (const auto& entry : a.as_map()) {
      const Value* other = b.find(entry.key);
      if (!other) return ValueDifference{below(entry.key), shortened(&entry.value), shortened(nullptr)};
      if (auto found = first_difference(entry.value, *other, below(entry.key))) return found;
    }
    for (const auto& entry : b.as_map()) {
      if (!a.find(entry.key)) return ValueDifference{below(entry.key), shortened(nullptr), shortened(&entry.value)};
    }
    return std::nullopt;
  }
  if (a.is_list() && b.is_list() && a.as_list().size() == b.as_list().size()) {
    for (std::size_t i = 0; i < a.as_list().size(); ++i) {
      if (auto found = first_difference(a.as_list()[i], b.as_list()[i], below(std::to_string(i)))) return found;
    }
    return std::nullopt;
  }
  if (a.canonical() == b.canonical()) return std::nullopt;
  return ValueDifference{path, shortened(&a), shortened(&b)};
}

std::vector<ValueDifference> entry_differences(const Value& a, const Value& b) {
  std::vector<ValueDifference> out;
  for (const auto& entry : a.as_map()) {
    const Value* other = b.find(entry.key);
    if (other && other->canonical() == entry.value.canonical()) continue;
    out.push_back({entry.key, shortened(&entry.value), shortened(other)});
  }
  for (const auto& entry : b.as_map()) {
    if (!a.find(entry.key)) out.push_back({entry.key, shortened(nullptr), shortened(&entry.value)});
  }
  return out;
}

}  // namespace kvmend
