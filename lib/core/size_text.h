#pragma once
#include <fmt/format.h>

#include <concepts>
#include <string>

namespace kvmend {

/// "1.5 GiB", "300.0 MiB", "12.0 KiB".
inline std::string size_text(double bytes) {
  if (bytes >= 1 << 30) return fmt::format("{:.1f} GiB", bytes / (1 << 30));
  if (bytes >= 1 << 20) return fmt::format("{:.1f} MiB", bytes / (1 << 20));
  return fmt::format("{:.1f} KiB", bytes / (1 << 10));
}

template <std::integral Count>
std::string size_text(Count bytes) {
  return size_text(static_cast<double>(bytes));
}

}  // namespace kvmend
