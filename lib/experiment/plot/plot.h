#pragma once
// `kvmend plot`: figures of a store by gnuplot.
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiment/table/data.h"

namespace kvmend {

struct PlotQuery {
  std::string kind;
  std::vector<std::pair<std::string, std::string>> where;
  std::string oracle = "oracle_attention";  ///< crowding-out
  std::string value = "score";              ///< the y axis of quality-cost, ratio and chunk-size
  double width = 6.5, height = 4;           ///< inches
};

struct PlotKind {
  std::string name, summary;
};
const std::vector<PlotKind>& plot_kinds();

/// A gnuplot script, its data inside, that writes to `output` in the format of its suffix (svg, png, pdf). Where a figure
/// has no interval none is drawn, and the script's title says so. Throws Error(usage) for unknown kinds, names and suffixes,
/// and where the store lacks what the kind shows.
std::string plot_script(const std::vector<std::filesystem::path>& stores, const PlotQuery& query,
                        const std::filesystem::path& output);

/// Runs gnuplot on a script made for a temporary name beside `output`, then renames; a suffix .gp writes the script
/// itself. Throws Error(usage) if there is no gnuplot, Error(data) if it fails.
void write_plot(const std::vector<std::filesystem::path>& stores, const PlotQuery& query,
                const std::filesystem::path& output);
/// The same for several figures of stores whose data is loaded, with the query's oracle as its reference.
void write_plot(const std::vector<std::filesystem::path>& stores, const TableData& data, const PlotQuery& query,
                const std::filesystem::path& output);

}  // namespace kvmend
