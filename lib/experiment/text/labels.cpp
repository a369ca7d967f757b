#include "experiment/text/labels.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <span>

namespace kvmend {

void tell_apart(std::vector<std::string>& labels, const std::vector<Value>& params) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < labels.size(); ++i) groups[labels[i]].push_back(i);
  for (const auto& [label, members] : groups) {
    if (members.size() < 2) continue;
    std::vector<std::string> differing;
    for (const auto member : members) {
      if (!params[member].is_map()) continue;
      for (const auto& entry : params[member].as_map()) {
        const bool same = std::all_of(members.begin(), members.end(), [&](std::size_t other) {
          const Value* value = params[other].find(entry.key);
          return value && value->canonical() == entry.value.canonical();
        });
        if (!same && std::find(differing.begin(), differing.end(), entry.key) == differing.end())
          differing.push_back(entry.key);
      }
    }
    for (const auto member : members) {
      std::string suffix;
      for (const auto& key : differing) {
        const Value* value = params[member].find(key);
        if (value) suffix += fmt::format("{}{}: {}", suffix.empty() ? "" : ", ", key, value->flow());
      }
      if (!suffix.empty()) labels[member] = fmt::format("{} ({})", label, suffix);
    }
  }
}

std::string at_ratio(const std::string& label, const std::optional<double>& ratio) {
  return ratio ? label + " at " + format_number(*ratio) : label;
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{} and {} more", fmt::join(std::span(names).first(most), ", "), names.size() - most);
}

}  // namespace kvmend
