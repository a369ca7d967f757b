#include "apps/kvmend/command_line.h"

#include <string_view>

namespace kvmend {
namespace {

std::string quoted(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+";  // means itself in every shell
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string command_line(int argc, const char* const* argv) {
  std::string out = "kvmend";
  for (int i = 1; i < argc; ++i) out += " " + quoted(argv[i]);
  return out;
}

}  // namespace kvmend
