#include "experiment/selection/token_paint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/utf8.h"
#include "experiment/selection/overlap.h"

namespace kvmend {
namespace {

constexpr std::string_view reset = "\033[0m";

std::string style(const TokenMark& mark) {
  std::string codes;
  const auto add = [&](std::string_view code) { codes += (codes.empty() ? "" : ";") + std::string(code); };
  static constexpr std::array<std::string_view, 6> shades{"",         "48;5;254", "48;5;195",
                                                          "48;5;159", "48;5;123", "48;5;51"};
  if (mark.selected) {
    add("1;38;5;16;48;5;214");
  } else if (mark.heat > 0) {
    add("38;5;16");
    add(shades[static_cast<std::size_t>(mark.heat)]);
  }
  if (mark.evidence) add("4");
  if (mark.dropped) add("9;2");
  return codes.empty() ? "" : "\033[" + codes + "m";
}

/// Appends text that cannot do anything to a terminal. Styles end before a line break and begin again after it: a
/// background would otherwise colour the rest of the line.
void append_shown(std::string& out, std::string_view text, const std::string& codes) {
  if (!codes.empty()) out += codes;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      if (!codes.empty()) out += reset;
      out += c;
      if (!codes.empty()) out += codes;
    } else if (c == '\t' || (byte >= 0x20 && byte != 0x7f)) {
      out += c;
    } else {
      out += byte == 0x7f ? "\xE2\x90\xA1" : std::string("\xE2\x90") + static_cast<char>(0x80 + byte);  // U+2400 + byte
    }
  }
  if (!codes.empty()) out += reset;
}

}  // namespace

std::vector<TokenMark> token_marks(int n_context, const std::vector<int>& selected, const std::vector<int>* kept,
                                   const std::vector<std::pair<int, int>>& evidence, const std::vector<float>& scores) {
  const auto n = static_cast<std::size_t>(std::max(0, n_context));
  std::vector<TokenMark> marks(n);
  for (const int i : selected) marks.at(static_cast<std::size_t>(i)).selected = true;
  for (const auto& [begin, end] : evidence) {
    for (int i = begin; i < end; ++i) marks.at(static_cast<std::size_t>(i)).evidence = true;
  }
  if (kept) {
    for (TokenMark& mark : marks) mark.dropped = true;
    for (const int i : *kept) marks.at(static_cast<std::size_t>(i)).dropped = false;
  }
  if (scores.size() < n || n == 0) return marks;
  const std::vector<int> order = ranking_of({scores.data(), n});
  static constexpr std::array<double, 5> shares{0.02, 0.05, 0.1, 0.2, 0.4};
  for (std::size_t rank = 0; rank < n; ++rank) {
    const double place = (static_cast<double>(rank) + 0.5) / static_cast<double>(n);
    const auto step = std::lower_bound(shares.begin(), shares.end(), place) - shares.begin();
    marks[static_cast<std::size_t>(order[rank])].heat = static_cast<int>(5 - step);
  }
  return marks;
}

std::string paint_tokens(std::string_view text, const TokenTable& tokens, int begin, int end,
                         const std::vector<TokenMark>& marks, bool color) {
  std::string out;
  if (begin >= end || tokens.begin.empty()) return out;
  const auto looks = [color](TokenMark mark) {  // what can be seen of it
    if (!color) mark = TokenMark{.selected = mark.selected};
    if (mark.selected) mark.heat = 0;
    return mark;
  };
  std::size_t at = tokens.begin.at(static_cast<std::size_t>(begin));
  for (int i = begin; i < end;) {
    const TokenMark mark = looks(marks.at(static_cast<std::size_t>(i)));
    int next = i;
    while (next < end && looks(marks.at(static_cast<std::size_t>(next))) == mark) ++next;
    const std::size_t stop = utf8::ceil_boundary(text, tokens.end.at(static_cast<std::size_t>(next) - 1));
    if (stop > at) {
      const std::string_view run = text.substr(at, stop - at);
      if (color) {
        append_shown(out, run, style(mark));
      } else {
        if (mark.selected) out += "⟦";
        append_shown(out, run, "");
        if (mark.selected) out += "⟧";
      }
      at = stop;
    }
    i = next;
  }
  return out;
}

std::string paint_legend(bool color, bool scores) {
  if (!color) return "⟦selected⟧";
  std::string out;
  append_shown(out, "selected", style({.selected = true}));
  out += "  ";
  append_shown(out, "evidence", style({.evidence = true}));
  if (!scores) return out;
  out += "  not selected, by score: ";
  static constexpr std::array<std::string_view, 5> names{"top 40 %", "20 %", "10 %", "5 %", "2 %"};
  for (int heat = 1; heat <= 5; ++heat) {
    append_shown(out, fmt::format(" {} ", names[static_cast<std::size_t>(heat - 1)]), style({.heat = heat}));
  }
  return out;
}

std::string_view bar_of(double share) {
  static constexpr std::array<std::string_view, 9> bars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (!(share > 0)) return bars[0];
  return bars[static_cast<std::size_t>(std::clamp(static_cast<int>(share * 8 + 0.999), 1, 8))];
}

std::string one_line(std::string_view text, std::size_t width) {
  std::string shown;
  append_shown(shown, text, "");
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  std::replace(shown.begin(), shown.end(), '\t', ' ');
  std::string out;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < shown.size(); ++characters) {
    const std::size_t length = std::max<std::size_t>(1, utf8::decode(shown, at).length);
    if (characters + 1 >= width && at + length < shown.size()) return out + "…";
    out += shown.substr(at, length);
    at += length;
  }
  return out;
}

}  // namespace kvmend
