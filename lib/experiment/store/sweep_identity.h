#pragma once
// Whether two stores are shards of one sweep.
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "experiment/store/store.h"

namespace kvmend {

/// What a store's last run was to compute, by the cells' keys: config, model and data are all in them.
struct SweepIdentity {
  std::filesystem::path store;
  Value config;                             ///< RunRecord::canonical
  std::map<std::string, CellRecord> cells;  ///< by key
};

/// nullopt: the store holds no run, or its last one ended before it said what it wants.
std::optional<SweepIdentity> identify_sweep(Store& store);

/// Throws Error(usage) naming both stores and the first thing in which they differ.
void require_same_sweep(const SweepIdentity& a, const SweepIdentity& b);

}  // namespace kvmend
