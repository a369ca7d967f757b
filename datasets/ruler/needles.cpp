#include "datasets/ruler/needles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kvmend {

std::string needle_sentence(NeedleKind value_kind, const std::string& key, const std::string& value) {
  return fmt::format("One of the special magic {} for {} is: {}.", needle_noun(value_kind), key, value);
}

HiddenText hide_in_lines(const std::vector<std::string>& lines, const std::vector<std::string>& needles,
                         Random& random) {
  // (place, needle): a needle stands before the line that had its place.
  std::vector<std::pair<int, std::size_t>> places;
  const auto drawn = random.distinct(static_cast<int>(lines.size()), static_cast<int>(needles.size()));
  for (std::size_t n = 0; n < needles.size(); ++n) places.emplace_back(drawn[n], n);
  std::sort(places.begin(), places.end());
  HiddenText out;
  out.needles.resize(needles.size());
  auto next = places.begin();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (next != places.end() && next->first == static_cast<int>(i)) {
      const std::string& needle = needles[next->second];
      out.needles[next->second] = {out.text.size(), out.text.size() + needle.size()};
      out.text += needle + "\n";
      ++next;
    }
    out.text += lines[i];
    if (i + 1 < lines.size()) out.text += '\n';
  }
  return out;
}

HiddenText hide_in_sentences(std::string_view text, const std::vector<std::size_t>& sentence_ends,
                             const std::vector<std::string>& needles, Random& random) {
  constexpr int n_depths = 40;
  std::vector<std::size_t> before;  // sentences before each needle
  for (const int step : random.distinct(n_depths, static_cast<int>(needles.size()))) {
    const double depth = std::round(100.0 * step / (n_depths - 1));
    before.push_back(static_cast<std::size_t>(static_cast<double>(sentence_ends.size()) * (depth / 100)));
  }
  std::sort(before.begin(), before.end());
  HiddenText out;
  std::size_t at = 0;
  for (std::size_t n = 0; n < needles.size(); ++n) {
    const std::size_t end = before[n] == 0 ? 0 : sentence_ends[before[n] - 1];
    out.text += text.substr(at, end - at);
    if (!out.text.empty() && out.text.back() != ' ') out.text += ' ';
    out.needles.push_back({out.text.size(), out.text.size() + needles[n].size()});
    out.text += needles[n];
    at = end;
    if (at < text.size() && text[at] != ' ') out.text += ' ';
  }
  out.text += text.substr(at);
  return out;
}

}  // namespace kvmend
