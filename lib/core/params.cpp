#include "core/params.h"

#include <fmt/format.h>

#include "core/suggest.h"

namespace kvmend::params_detail {

std::string unknown_key(const Value::Entry& entry, const std::vector<std::string>& known) {
  if (known.empty()) return fmt::format("unknown parameter '{}': none are taken here", entry.key);
  return fmt::format("unknown parameter '{}'{}", entry.key, did_you_mean(entry.key, known));
}

std::string out_of_range(std::string_view name, double value, const Range& range) {
  if (range.high == std::numeric_limits<double>::infinity()) {
    return fmt::format("{} is {}, must be at least {}", name, format_number(value), format_number(range.low));
  }
  if (range.low == -std::numeric_limits<double>::infinity()) {
    return fmt::format("{} is {}, must be at most {}", name, format_number(value), format_number(range.high));
  }
  return fmt::format("{} is {}, must be between {} and {}", name, format_number(value), format_number(range.low),
                     format_number(range.high));
}

std::string bad_choice(std::string_view text, const std::vector<std::string>& choices) {
  std::string all;
  for (const auto& choice : choices) all += (all.empty() ? "" : ", ") + choice;
  const std::string near = nearest_name(text, choices);
  return fmt::format("unknown value '{}' (one of {}){}", text, all,
                     near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

}  // namespace kvmend::params_detail
