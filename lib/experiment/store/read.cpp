// The rows of a store, many at once: everything but texts, tokens, selections and scores.
#include <limits>

#include "datasets/json_value.h"
#include "experiment/store/columns.h"
#include "experiment/store/impl.h"

namespace kvmend {
namespace {

SampleRow sample_row(Statement& row) {
  return {row.integer(0), row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4))};
}
constexpr const char* sample_columns = "SELECT sample, prompts, id, cluster, position FROM samples ";

}  // namespace

std::vector<MissingSample> Store::missing(std::span<const std::string> cells, int samples, bool retry_failed) {
  std::vector<MissingSample> work;
  std::vector<std::vector<char>> done(cells.size(),
                                      std::vector<char>(static_cast<std::size_t>(std::max(samples, 0)), 0));
  Statement rows = impl_->db->prepare(
      "SELECT s.position FROM results r JOIN samples s USING (sample) JOIN cells c USING (cell) "
      "WHERE c.key = ? AND (r.status = 'ok' OR ?)");
  for (std::size_t c = 0; c < cells.size(); ++c) {
    rows.bind(cells[c], !retry_failed);
    while (rows.step()) {
      const std::int64_t position = rows.integer(0);
      if (position >= 0 && position < samples) done[c][static_cast<std::size_t>(position)] = 1;
    }
  }
  for (int position = 0; position < samples; ++position) {
    MissingSample sample{position, {}};
    for (std::size_t c = 0; c < cells.size(); ++c) {
      if (!done[c][static_cast<std::size_t>(position)]) sample.cells.push_back(c);
    }
    if (!sample.cells.empty()) work.push_back(std::move(sample));
  }
  return work;
}

std::vector<RunRecord> Store::runs() {
  std::vector<RunRecord> out;
  Statement row = impl_->db->prepare(
      "SELECT run, uuid, name, config, canonical, models, version, build, host, device, backend, command, threads, "
      "started, "
      "finished, status FROM runs ORDER BY run");
  while (row.step()) {
    RunRecord run;
    run.id = row.integer(0);
    run.uuid = row.text(1);
    run.name = row.text(2);
    run.config = row.text(3);
    run.canonical = parse_json(row.text(4), impl_->path.string() + ": runs.canonical");
    run.models = parse_json(row.text(5), impl_->path.string() + ": runs.models");
    run.version = row.text(6);
    run.build = row.text(7);
    run.host = row.text(8);
    run.device = row.text(9);
    run.backend = row.text(10);
    run.command = row.text(11);
    run.threads = static_cast<int>(row.integer(12));
    run.started = row.real(13);
    run.finished = row.real(14);
    run.status = row.text(15);
    out.push_back(std::move(run));
  }
  return out;
}

std::vector<CellRecord> Store::cells() {
  std::vector<CellRecord> out;
  const std::string what = impl_->path.string() + ": cells";
  Statement row = impl_->db->prepare(
      "SELECT key, prompts, canonical, strategy, label, series, params, ratio, task, task_params, model, weights, "
      "chunker, "
      "dtype, backend, chat, load_from, tokenize, (SELECT max(samples) FROM run_cells w WHERE w.cell = cells.cell) "
      "FROM cells ORDER BY cell");
  while (row.step()) {
    CellRecord cell;
    cell.key = row.text(0);
    cell.prompts = row.text(1);
    cell.canonical = parse_json(row.text(2), what);
    cell.strategy = row.text(3);
    cell.label = row.text(4);
    cell.series = row.text(5);
    cell.params = parse_json(row.text(6), what);
    cell.ratio = row.optional_real(7);
    cell.task = row.text(8);
    cell.task_params = parse_json(row.text(9), what);
    cell.model = row.text(10);
    cell.weights = row.text(11);
    cell.chunker = parse_json(row.text(12), what);
    cell.dtype = row.text(13);
    cell.backend = row.text(14);
    cell.chat = row.text(15);
    cell.load_from = row.text(16);
    cell.tokenize = row.text(17);
    cell.samples = static_cast<int>(row.integer(18));
    out.push_back(std::move(cell));
  }
  return out;
}

std::vector<std::int64_t> Store::cell_ids() {
  std::vector<std::int64_t> out;
  Statement row = impl_->db->prepare("SELECT cell FROM cells ORDER BY cell");
  while (row.step()) out.push_back(row.integer(0));
  return out;
}

std::vector<RunCell> Store::run_cells() {
  std::vector<RunCell> out;
  Statement row = impl_->db->prepare("SELECT run, cell, samples FROM run_cells ORDER BY run, cell");
  while (row.step()) out.push_back({row.integer(0), row.integer(1), static_cast<int>(row.integer(2))});
  return out;
}

std::vector<SampleRow> Store::samples() {
  std::vector<SampleRow> out;
  Statement row = impl_->db->prepare(std::string(sample_columns) + "ORDER BY sample");
  while (row.step()) out.push_back(sample_row(row));
  return out;
}

std::vector<SampleRow> Store::find_samples(const std::string& name) {
  std::vector<SampleRow> out;
  Statement row = impl_->db->prepare(std::string(sample_columns) + "WHERE id = ? ORDER BY sample");
  row.bind(name);
  while (row.step()) out.push_back(sample_row(row));
  if (!out.empty()) return out;
  Statement suffix =
      impl_->db->prepare(std::string(sample_columns) + "WHERE substr(id, -length(?1)) = ?1 ORDER BY sample");
  suffix.bind(name);
  while (suffix.step()) out.push_back(sample_row(suffix));
  return out;
}

std::vector<ResultRow> Store::results() {
  std::vector<ResultRow> out;
  Statement row = impl_->db->prepare(
      "SELECT r.result, cell, sample, run, status, error, score, layer_tokens, exact_selected, effective_ratio, flops, "
      "flops_ratio, bytes, seconds_load, seconds_place, seconds_select, seconds_recompute, seconds_query, "
      "seconds_first_token, seconds_decode, shared_timing, x.n, x.chosen, flops_decode, chunk_order, y.n, y.chosen "
      "FROM results r LEFT JOIN selections x ON x.result = r.result AND x.kind = 'kept' AND x.layer = -1 "
      "LEFT JOIN selections y ON y.result = r.result AND y.kind = 'selected' AND y.layer = -1 ORDER BY cell, sample");
  while (row.step()) {
    ResultRow r;
    r.id = row.integer(0);
    r.cell = row.integer(1);
    r.sample = row.integer(2);
    r.run = row.integer(3);
    r.failed = row.text(4) == "failed";
    r.error = row.text(5);
    r.score = row.is_null(6) ? std::numeric_limits<double>::quiet_NaN() : row.real(6);
    r.layer_tokens = row.integer(7);
    r.exact_selected = row.integer(8);
    r.effective_ratio = row.real(9);
    r.flops = row.real(10);
    r.flops_ratio = row.real(11);
    r.bytes = row.real(12);
    r.seconds = read_seconds(row, 13);
    r.decode_seconds = row.real(19);
    r.shared_timing = row.integer(20) != 0;
    if (!row.is_null(21) && row.integer(21) > 0) {
      r.kept = static_cast<double>(row.integer(22)) / static_cast<double>(row.integer(21));
      r.dropped = row.integer(21) - row.integer(22);
    }
    r.decode_flops = row.real(23);
    r.reordered = !row.text(24).empty();
    r.n_context = row.integer(25);  // null is 0
    r.selected = row.integer(26);
    out.push_back(std::move(r));
  }
  return out;
}

std::map<std::int64_t, std::vector<Unit>> Store::units() {
  std::map<std::int64_t, std::vector<Unit>> out;
  Statement row = impl_->db->prepare("SELECT sample, units FROM samples");
  while (row.step()) out[row.integer(0)] = parse_units(row.text(1), impl_->path);
  return out;
}

std::vector<std::int64_t> Store::result_ids_of_sample(std::int64_t sample) {
  std::vector<std::int64_t> out;
  Statement row = impl_->db->prepare("SELECT result FROM results WHERE sample = ? ORDER BY cell");
  row.bind(sample);
  while (row.step()) out.push_back(row.integer(0));
  return out;
}

}  // namespace kvmend
