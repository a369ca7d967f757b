#pragma once
// The kinds of plots, each the part of a script that follows the preamble.
#include "experiment/plot/figure.h"
#include "experiment/plot/plot.h"
#include "experiment/table/table.h"

namespace kvmend {

/// Draws `kind` from data and stores.
struct PlotInput {
  const std::vector<std::filesystem::path>& stores;
  const TableData& data;
  const PlotQuery& query;
  const Figure& figure;
};

std::string plot_quality_cost(const PlotInput& input);
std::string plot_ratio(const PlotInput& input);
std::string plot_chunk_size(const PlotInput& input);
std::string plot_crowding_out(const PlotInput& input);
std::string plot_ttft(const PlotInput& input);
std::string plot_niah(const PlotInput& input);
std::string plot_overlap(const PlotInput& input);

/// "smollm2-135m · bf16 · mean of 2 tasks: ruler/vt, qa_custom · n = 16": what a figure is over; with a word on figures
/// without intervals.
std::string plot_caption(const Table& table, const std::vector<std::string>& values);

}  // namespace kvmend
