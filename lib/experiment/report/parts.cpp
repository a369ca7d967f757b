#include "experiment/report/parts.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/error.h"
#include "experiment/table/cells.h"

namespace kvmend {
namespace {

std::string base64(const std::string& bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) -> std::uint32_t {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0;
    };
    const std::uint32_t word = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (int k = 0; k < 4; ++k)
      out += i + static_cast<std::size_t>(k) > bytes.size() ? '=' : digits[word >> (18 - 6 * k) & 63U];
  }
  return out;
}

std::string dump(const OrderedJson& json) { return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace); }

OrderedJson figure(const std::optional<TableEntry>& entry) {
  if (!entry || !std::isfinite(entry->estimate.value)) return {};
  const auto& interval = entry->estimate.interval;
  const char* mark = entry->mark == Mark::best ? "*" : entry->mark == Mark::close ? "~" : "";
  return {entry->estimate.value, interval ? OrderedJson(interval->lo) : OrderedJson(),
          interval ? OrderedJson(interval->hi) : OrderedJson(), mark};
}

/// One table's rows; `by_task` false: over all tasks.
void add_rows(OrderedJson& rows, const TableData& data, const std::vector<AgainstOracle>& oracles,
              const ReportQuery& query, bool by_task, std::vector<std::string>& warnings) {
  TableQuery table_query;
  table_query.rows = {"strategy", "model", "chunker"};
  table_query.cols = {"ratio"};
  if (by_task) table_query.cols.emplace_back("task");
  table_query.values = {"score", "pgr", "flops_ratio", "effective_ratio", "ttft_ratio"};
  table_query.where = query.where;
  const Table table = make_table(data, table_query);
  std::vector<TableBlock> blocks = table.blocks;
  table_query.values = {"overlap", "recall"};
  for (const AgainstOracle& against : oracles) {
    Table judged = make_table(against.data, table_query);
    require(judged.rows == table.rows && judged.cols == table.cols, "{} gives a table of other cells", against.oracle);
    std::move(judged.blocks.begin(), judged.blocks.end(), std::back_inserter(blocks));
  }
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    for (std::size_t c = 0; c < table.cols.size(); ++c) {
      const auto& score = blocks[0].entries[r][c];
      if (!score) continue;
      std::string name = legend_label(table, table.rows[r][0]);
      for (std::size_t d = 3; d < table.rows[r].size(); ++d) name += ", " + table.rows[r][d];
      OrderedJson row = {name,
                         score->ratio ? OrderedJson(*score->ratio) : OrderedJson(),
                         by_task ? OrderedJson(table.cols[c][1]) : OrderedJson(),
                         table.rows[r][1],
                         table.rows[r][2],
                         score->estimate.n};
      for (const auto& block : blocks) row.push_back(figure(block.entries[r][c]));
      rows.push_back(std::move(row));
    }
  }
  for (const auto& warning : table.warnings) {
    if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) warnings.push_back(warning);
  }
}

}  // namespace

std::string script_json(const OrderedJson& json) {
  std::string out;
  for (const char c : dump(json)) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string pack_block(const OrderedJson& json) {
  const std::string text = dump(json);
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  const int status = compress2(reinterpret_cast<Bytef*>(packed.data()), &size,  // NOLINT: zlib's bytes
                               reinterpret_cast<const Bytef*>(text.data()), text.size(), 9);
  require(status == Z_OK, "zlib failed: {}", status);
  packed.resize(size);
  return base64(packed);
}

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::vector<AgainstOracle> against_oracles(const std::vector<std::filesystem::path>& stores, const TableData& data,
                                           const ReportQuery& query) {
  std::vector<AgainstOracle> out;
  for (const TableCell& cell : data.cells) {
    const std::string& name = cell.record.strategy;
    if (!name.starts_with("oracle_") || cell.observations.empty()) continue;
    if (std::any_of(out.begin(), out.end(), [&](const AgainstOracle& known) { return known.oracle == name; })) continue;
    out.push_back({name, load_table_data(stores, name)});
    if (asks_for_evidence(query.where)) split_by_evidence(out.back().data, stores);
  }
  return out;
}

OrderedJson report_rows(const TableData& data, const std::vector<AgainstOracle>& oracles, const ReportQuery& query,
                        std::vector<std::string>& warnings) {
  OrderedJson rows = OrderedJson::array();
  TableQuery all;
  all.where = query.where;
  const auto cells = filter_cells(data, all);
  const bool several =
      std::any_of(cells.begin(), cells.end(), [&](const TableCell* cell) { return cell->task != cells[0]->task; });
  if (several) add_rows(rows, data, oracles, query, false, warnings);
  add_rows(rows, data, oracles, query, true, warnings);
  return rows;
}

}  // namespace kvmend
