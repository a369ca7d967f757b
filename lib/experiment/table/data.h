#pragma once
// What tables are made of: the results of one or more stores, in memory, replicates averaged.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiment/store/store.h"
#include "experiment/table/overlap.h"

namespace kvmend {

/// One sample's figures in one cell.
struct Observation {
  std::string sample;   ///< the same in every cell over the same prompts
  std::string cluster;  ///< question
  int position = 0;     ///< i of the task's sample i: pairs samples across chunkers and models, with the question
  double score = 0, effective_ratio = 0, flops = 0, flops_ratio = 0, layer_tokens = 0, bytes = 0;
  PhaseSeconds seconds;
  double decode_seconds = 0, decode_flops = 0;  ///< as Outcome's
  double exact_selected = 0;                    ///< share of the context that was recomputed though it was exact
  bool equals_full = false;                     ///< Coverage; of replicates: each does
  bool shared_timing = false;
  double kept = 1;          ///< share of the context's rows left in the cache
  double memory_saved = 0;  ///< bytes that the others would take; NaN where the store does not know
  Overlap overlap;          ///< only if it was asked for
};

/// A cell as tables see it: replicates (seeds) of one series are one cell, averaged sample by sample.
struct TableCell {
  CellRecord record;                      ///< of the first replicate
  std::string strategy, task, model;      ///< labels that tell cells apart across stores
  Value params;                           ///< the strategy's, without seed where there are replicates
  std::string note;                       ///< StrategyInfo::note, as the store's runs have it
  int wanted = 0;                         ///< samples that runs asked for, −1: all
  std::vector<Observation> observations;  ///< in the samples' order
  int failed = 0;
  std::string first_error;
  std::string evidence;  ///< split_by_evidence: "cut", "whole", or "" for samples without evidence
  std::string group;     ///< split_by_group: the group of tasks that this copy counts in; else ""
};

/// A cell without results, under its own labels.
TableCell table_cell(CellRecord record);

struct TableData {
  std::vector<TableCell> cells;
  std::vector<std::string> builds;  ///< that made the results, each once
  std::string metric;               ///< load_table_data's; empty: each sample's own
  std::string reference;            ///< load_table_data's; empty: no overlap was asked for
  std::vector<std::string> notes;   ///< of the runs' tasks, each once: "qa_custom: 12 of 1200 questions have …"
};

/// Reads stores; a result that two of them hold counts once. `reference`: also fill Observation::overlap, against this
/// strategy. `metric`: every stored prediction is scored by this one instead of its sample's. Throws Error(data), and
/// Error(usage) for an unknown metric, or without one where two stores score the same prompts by different ones.
TableData load_table_data(const std::vector<std::filesystem::path>& stores, const std::string& reference = "",
                          const std::string& metric = "");

/// Every stored prediction's score by a metric, by result id. Throws as load_table_data does.
std::map<std::int64_t, double> scores_by_metric(Store& store, const std::string& metric);

/// Splits each cell by whether a unit's boundary cuts the samples' evidence or one unit holds each span: then `evidence` is
/// a dimension (cut, whole).
void split_by_evidence(TableData& data, const std::vector<std::filesystem::path>& stores);
/// Whether conditions name the dimension that split_by_evidence makes.
bool asks_for_evidence(const std::vector<std::pair<std::string, std::string>>& where);

/// A sample's key, which sorts as positions do.
std::string sample_key(const SampleRow& sample);

/// Everything but the seed, as a key: replicates share it.
std::string without_seed(const CellRecord& record);

}  // namespace kvmend
