#include "experiment/plot/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "experiment/table/dimension.h"

namespace kvmend {
namespace {

using Cells = std::vector<const TableCell*>;

struct Choice {
  std::string name, value;
  Cells left;
  std::size_t parts = 0;
};

/// What each value of the dimensions would leave; values that all cells have, and "", choose nothing.
std::vector<Choice> choices_of(const Cells& cells, const std::vector<std::string>& dimensions,
                               const std::function<std::size_t(const Cells&)>& count) {
  std::vector<Choice> out;
  for (const auto& name : dimensions) {
    for (const auto* cell : cells) {
      const std::string value = dimension(*cell, name);
      const auto same = [&](const Choice& choice) { return choice.name == name && choice.value == value; };
      if (value.empty() || std::any_of(out.begin(), out.end(), same)) continue;
      Choice choice{name, value, {}};
      for (const auto* other : cells) {
        // As --where does it: what has no ratio stays, whatever the ratio.
        const std::string theirs = dimension(*other, name);
        if (theirs == value || (name == "ratio" && theirs.empty())) choice.left.push_back(other);
      }
      choice.parts = count(choice.left);
      if (choice.left.size() < cells.size()) out.push_back(std::move(choice));
    }
  }
  return out;
}

std::string shell_word(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("=._-/:").find(c) != std::string_view::npos;
  };
  if (std::all_of(text.begin(), text.end(), plain)) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<std::string> varying_dimensions(const Table& table) {
  std::vector<std::string> names = {"ratio"};
  names.insert(names.end(), table.row_dimensions.begin() + 1, table.row_dimensions.end());
  return names;
}

std::string fitting_where(const Cells& cells, const std::vector<std::string>& dimensions, std::size_t most,
                          const std::function<std::size_t(const Cells&)>& count) {
  std::string out;
  Cells left = cells;
  while (count(left) > most) {
    std::vector<Choice> choices = choices_of(left, dimensions, count);
    if (choices.empty()) choices = choices_of(left, {"strategy"}, count);  // a strategy, where nothing else varies
    if (choices.empty()) return out;
    // The most that fit; if none do, the fewest, and on from there.
    const auto better = [&](const Choice& a, const Choice& b) {
      const bool fits = a.parts <= most;
      if (fits != (b.parts <= most)) return fits;
      return fits ? a.parts > b.parts : a.parts < b.parts;
    };
    const Choice& best = *std::min_element(choices.begin(), choices.end(), better);
    out += fmt::format("{}--where {}", out.empty() ? "" : " ", shell_word(best.name + "=" + best.value));
    left = Cells(best.left);
  }
  return out;
}

}  // namespace kvmend
