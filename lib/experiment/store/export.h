#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "experiment/store/run_facts.h"
#include "experiment/store/store.h"

namespace kvmend {

/// One row a sample and cell, in the store's order: what was asked, what came back, what it cost, what was selected.
/// `emit` gets one line without its line break. JSONL: every field; CSV: a header line, then the plain figures. docs/export.md says
/// what each is. `wanted`: keys of the cells whose rows are written; nullopt: all.
using ExportKeys = std::optional<std::set<std::string>>;
void export_jsonl(Store& store, const std::function<void(const std::string&)>& emit, const ExportKeys& wanted = {});
void export_csv(Store& store, const std::function<void(const std::string&)>& emit, const ExportKeys& wanted = {});
/// One of JSONL's lines.
std::string result_as_json(const SampleRecord& sample, const CellRecord& cell, const ResultRecord& result,
                           const RunFacts& facts);

}  // namespace kvmend
