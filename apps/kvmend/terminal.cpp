#include "apps/kvmend/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace kvmend {

int terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 120;
}

bool wants_color(std::string_view when) {
  if (when != "auto") return when == "always";
  const char* off = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && !(off && *off) && !(term && std::string_view(term) == "dumb");
}

}  // namespace kvmend
