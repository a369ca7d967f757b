#include "experiment/text/latex.h"

#include <fmt/ranges.h>

#include <cstdint>
#include <map>
#include <string_view>

#include "core/utf8.h"

namespace kvmend {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

/// A character beyond ASCII as every LaTeX since 2018 can set it in its default fonts.
std::string beyond_ascii(std::string_view character) {
  static const std::map<std::string_view, const char*> spelled = {
      {"×", "$\\times$"},  {"–", "--"},         {"—", "---"},       {"−", "$-$"},       {"·", "$\\cdot$"},
      {"≥", "$\\geq$"},    {"≤", "$\\leq$"},    {"⌈", "$\\lceil$"}, {"⌉", "$\\rceil$"}, {"⌊", "$\\lfloor$"},
      {"⌋", "$\\rfloor$"}, {"…", "\\dots{}"},   {"√", "$\\surd$"},  {"α", "$\\alpha$"}, {"Δ", "$\\Delta$"},
      {"→", "$\\to$"},     {"≈", "$\\approx$"}, {"±", "$\\pm$"},    {"’", "'"},         {"‘", "`"}};
  const auto found = spelled.find(character);
  if (found != spelled.end()) return found->second;
  if (character.starts_with('\xC3')) return std::string(character);  // À to ÿ
  return fmt::format("[U+{:04X}]", static_cast<std::uint32_t>(utf8::decode_valid(character, 0).code_point));
}

}  // namespace

std::string latex_text(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = utf8::decode(text, i).length;
    if (size > 1) {
      out += beyond_ascii(std::string_view(text).substr(i, size));
      i += size;
      continue;
    }
    const char c = text[i++];
    switch (c) {
      case '\\': out += "$\\backslash$"; break;
      case '~': out += "$\\sim$"; break;
      case '^': out += "\\^{}"; break;
      case '<': out += "$<$"; break;
      case '>': out += "$>$"; break;
      case '|': out += "$|$"; break;
      case '"': out += "''"; break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}': out += '\\'; [[fallthrough]];
      default: out += c;
    }
  }
  replace_all(out, " \\%", "\\,\\%");
  replace_all(out, ",\\,\\%", ", \\%");
  return out;
}

std::string latex_tabular(const std::string& columns, const std::vector<std::vector<std::string>>& rows) {
  std::string out = fmt::format("\\begin{{tabular}}{{@{{}}{}@{{}}}}\n\\toprule\n", columns);
  for (std::size_t r = 0; r < rows.size(); ++r)
    out += fmt::format("{} \\\\\n{}", fmt::join(rows[r], " & "), r == 0 ? "\\midrule\n" : "");
  return out + "\\bottomrule\n\\end{tabular}\n";
}

std::string latex_document(const std::vector<std::string>& remarks, const std::string& body) {
  // A document of its own, unless one has begun: then \input takes only the tables.
  std::string out =
      "\\expandafter\\ifx\\csname @classoptionslist\\endcsname\\relax\n"
      "  \\documentclass{article}\\usepackage[utf8]{inputenc}\\usepackage{booktabs}\n"
      "  \\usepackage[margin=1cm]{geometry}\\setlength\\parindent{0pt}\\begin{document}\n"
      "  \\def\\kvmendend{\\end{document}}\n"
      "\\else \\let\\kvmendend\\relax \\fi\n";
  for (const auto& line : remarks) out += "% " + line + "\n";
  return out + body + "\\kvmendend\n";
}

}  // namespace kvmend
