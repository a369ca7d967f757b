#include "core/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/utf8.h"

namespace kvmend {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

std::string format_duration(double seconds) {
  const auto s = std::llround(std::max(0.0, seconds));
  if (s >= 3600) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  if (s >= 60) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}s", s);
}

Progress::Progress(std::int64_t total, std::string unit, bool quiet)
    : total_(total),
      unit_(std::move(unit)),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() { clear(); }

double Progress::elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

std::string progress_text(std::int64_t done, std::int64_t total, const std::string& unit, double share, double seconds,
                          const std::string& current, const std::string& beside) {
  std::string out = fmt::format("{}/{} {}", done, total, unit);
  if (!beside.empty()) out += "  " + beside;
  if (done > 0 && share > 0) {
    out += fmt::format("  {:.2f}/s  {} left", static_cast<double>(done) / std::max(1e-9, seconds),
                       format_duration(seconds * (1 - share) / share));
  }
  return out + "  " + current;
}

std::string Progress::text(std::int64_t done, double share, const std::string& current, std::size_t width) const {
  std::string out = progress_text(done, total_, unit_, share, elapsed(), current, beside_);
  if (terminal_) {
    constexpr std::size_t bar = 20;
    const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(bar));
    out = "[" + std::string(std::min(full, bar), '#') + std::string(bar - std::min(full, bar), '.') + "] " + out;
    if (out.size() > width - 1) out.resize(utf8::floor_boundary(out, width - 1));
  }
  return out;
}

void Progress::update(std::int64_t done, double share, const std::string& current) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  if (now - last_ < pause && done < total_) return;
  last_ = now;
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", text(done, share, current, terminal_width()));
    std::fflush(stderr);
    drawn_ = true;
  } else {
    fmt::print(stderr, "kvmend: {}\n", text(done, share, current, 0));
  }
}

void Progress::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace kvmend
