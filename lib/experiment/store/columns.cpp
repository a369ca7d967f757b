#include "experiment/store/columns.h"

#include <tuple>

namespace kvmend {

std::vector<Unit> parse_units(const std::string& text, const std::filesystem::path& store) {
  std::vector<Unit> units;
  using Row = std::tuple<std::string, int, int>;
  for (const auto& [kind, begin, end] : json_column<std::vector<Row>>(text, "units", store)) {
    units.push_back({kind == "prefix" ? UnitKind::prefix : UnitKind::chunk, begin, end});
  }
  return units;
}

PhaseSeconds read_seconds(Statement& row, int first) {
  return {row.real(first),     row.real(first + 1), row.real(first + 2),
          row.real(first + 3), row.real(first + 4), row.real(first + 5)};
}

}  // namespace kvmend
