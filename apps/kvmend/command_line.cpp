#include "apps/kvmend/command_line.h"

namespace kvmend {
namespace {

/// As a user would type it: quoted where it has to be.
std::string typed(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+";  // means itself in every shell
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
  return shell_quoted(word);
}

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_line(int argc, const char* const* argv) {
  std::string out = "kvmend";
  for (int i = 1; i < argc; ++i) out += " " + typed(argv[i]);
  return out;
}

}  // namespace kvmend
