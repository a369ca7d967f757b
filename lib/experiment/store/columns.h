#pragma once
// Columns that several readers of a store's tables have in common.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiment/store/sqlite.h"
#include "recompute/outcome.h"
#include "recompute/request.h"

namespace kvmend {

/// A JSON column as T; what another program wrote there is refused by name, with Error(data).
template <class T>
T json_column(const std::string& text, const char* column, const std::filesystem::path& store) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::data, "{}: column {} is damaged: {}", store.string(), column, text.substr(0, 60));
  }
}

/// The column `units`. Throws Error(data).
std::vector<Unit> parse_units(const std::string& text, const std::filesystem::path& store);

/// Six columns, the first of which is seconds_load.
PhaseSeconds read_seconds(Statement& row, int first);

}  // namespace kvmend
