#include <charconv>
#include <cmath>

#include "core/error.h"
#include "experiment/config/config.h"

namespace kvmend {
namespace {

struct SizeUnit {
  std::string_view name;
  double bytes;
};

constexpr SizeUnit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024.0},
    {"KiB", 1024.0},
    {"KB", 1e3},
    {"M", 1048576.0},
    {"MiB", 1048576.0},
    {"MB", 1e6},
    {"G", 1073741824.0},
    {"GiB", 1073741824.0},
    {"GB", 1e9},
    {"T", 1099511627776.0},
    {"TiB", 1099511627776.0},
    {"TB", 1e12},
};

}  // namespace

std::uint64_t parse_size(const Value& value) {
  const auto refuse = [&]() {
    fail(ErrorKind::usage, "{}'{}' is no size; write for example 512MiB, 20GiB or 1.5GB", value.where.prefix(),
         value.is_string() ? value.as_string() : value.flow());
  };
  double number = 0;
  std::string_view unit;
  if (value.is_number()) {
    number = value.as_number();
  } else if (value.is_string()) {
    const std::string& text = value.as_string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) refuse();
    unit = std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
  } else {
    refuse();
  }
  for (const auto& known : size_units) {
    if (unit != known.name) continue;
    const double bytes = number * known.bytes;
    if (!(bytes >= 0 && bytes < 9.2e18)) refuse();
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  refuse();
  return 0;
}

}  // namespace kvmend
