#pragma once
#include <nlohmann/json.hpp>

#include "experiment/report/report.h"
#include "experiment/table/table.h"

namespace kvmend {

using OrderedJson = nlohmann::ordered_json;

/// JSON that may stand in a <script> element.
std::string script_json(const OrderedJson& json);
/// zlib, then base64: what the page's DecompressionStream reads.
std::string pack_block(const OrderedJson& json);
std::string escape_html(const std::string& text);

/// The stores' data with every selection held against one of their oracles.
struct AgainstOracle {
  std::string oracle;  ///< oracle_attention, …
  TableData data;      ///< its cells are those of load_table_data without a reference, in the same order
};
/// One for each oracle that has results among `data`. Throws as load_table_data does.
std::vector<AgainstOracle> against_oracles(const std::vector<std::filesystem::path>& stores, const TableData& data,
                                           const ReportQuery& query);

/// The page's table: one row a strategy, ratio, task (null: over all), model and chunker; each figure [mean, lo, hi, mark].
/// Overlap and recall come last, a pair for each of `oracles`.
OrderedJson report_rows(const TableData& data, const std::vector<AgainstOracle>& oracles, const ReportQuery& query,
                        std::vector<std::string>& warnings);

/// Inline figures, those of one model and chunker after the other; `notes` says what could not be drawn and why.
std::string report_figures(const std::vector<std::filesystem::path>& stores, const ReportQuery& query,
                           std::vector<std::string>& notes);

/// What the sample browser reads.
struct ReportSamples {
  OrderedJson cells;  ///< [{label, strategy, ratio}], by the numbers that samples use
  std::string all;    ///< pack_block of every sample
  std::string texts;  ///< a pack_block a line, of the samples with text
  int count = 0, with_text = 0;
  std::string note;                  ///< why fewer have text than were asked for
  std::string default_a, default_b;  ///< labels: full prefill, and a strategy to set against it
};
/// `taken`: bytes of the page besides the samples.
ReportSamples report_samples(const std::vector<std::filesystem::path>& stores, const TableData& data,
                             const ReportQuery& query, std::size_t taken = 0);

}  // namespace kvmend
