#include "experiment/plot/plot.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"
#include "experiment/plot/gnuplot.h"
#include "experiment/plot/kinds.h"

namespace kvmend {
namespace {

struct Kind {
  PlotKind kind;
  bool selections;
  std::string (*draw)(const PlotInput&);
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {{"quality-cost", "score against relative FLOPs, a line a strategy"}, false, plot_quality_cost},
      {{"ratio", "score against the recomputation ratio"}, false, plot_ratio},
      {{"ttft", "time to first token, stacked by phase"}, false, plot_ttft},
      {{"niah", "needles found by length and depth, a heat map a strategy"}, true, plot_niah},
      {{"chunk-size", "score against the chunks' tokens"}, false, plot_chunk_size},
      {{"crowding-out", "share of the selection that the query does not attend to"}, true, plot_crowding_out},
      {{"overlap", "Jaccard overlap of the strategies' selections"}, false, plot_overlap},
  };
  return all;
}

}  // namespace

const std::vector<PlotKind>& plot_kinds() {
  static const std::vector<PlotKind> out = [] {
    std::vector<PlotKind> list;
    for (const auto& kind : kinds()) list.push_back(kind.kind);
    return list;
  }();
  return out;
}

namespace {

const Kind& find_kind(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& kind : kinds()) {
    if (kind.kind.name == name) return kind;
    names.push_back(kind.kind.name);
  }
  fail(ErrorKind::usage, "--kind: unknown plot '{}'{}", name, did_you_mean(name, names));
}

TableData data_for(const std::vector<std::filesystem::path>& stores, const PlotQuery& query) {
  TableData data = load_table_data(stores, find_kind(query.kind).selections ? query.oracle : "");
  if (asks_for_evidence(query.where)) split_by_evidence(data, stores);
  return data;
}

std::string script_of(const std::vector<std::filesystem::path>& stores, const TableData& data, const PlotQuery& query,
                      const std::filesystem::path& output, const std::filesystem::path& named) {
  const Figure figure(output, query.width, query.height, named);
  return figure.preamble() + find_kind(query.kind).draw({stores, data, query, figure});
}

}  // namespace

std::string plot_script(const std::vector<std::filesystem::path>& stores, const PlotQuery& query,
                        const std::filesystem::path& output) {
  return script_of(stores, data_for(stores, query), query, output, output);
}

void write_plot(const std::vector<std::filesystem::path>& stores, const PlotQuery& query,
                const std::filesystem::path& output) {
  write_plot(stores, data_for(stores, query), query, output);
}

void write_plot(const std::vector<std::filesystem::path>& stores, const TableData& data, const PlotQuery& query,
                const std::filesystem::path& output) {
  if (output.extension() == ".gp") {
    auto image = output;
    image.replace_extension(".svg");
    write_file_atomically(output, script_of(stores, data, query, image, output));
    return;
  }
  // Under its final suffix, in the same folder: renamed when it is whole.
  const auto partial = output.parent_path() / ("." + output.stem().string() + ".part" + output.extension().string());
  const std::string script = script_of(stores, data, query, partial, output);
  std::error_code error;
  if (output.has_parent_path()) std::filesystem::create_directories(output.parent_path(), error);
  try {
    gnuplot::run(script);
    std::filesystem::rename(partial, output, error);
    if (error) fail(ErrorKind::data, "{}: cannot be written: {}", output.string(), error.message());
  } catch (...) {
    std::filesystem::remove(partial, error);
    throw;
  }
}

}  // namespace kvmend
