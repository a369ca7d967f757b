#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "datasets/json_value.h"
#include "experiment/store/impl.h"

namespace kvmend {
namespace {

using nlohmann::json;

/// A JSON column as T; what another program wrote there is refused by name.
template <class T>
T from_json(const std::string& text, const char* column, const std::filesystem::path& store) {
  try {
    return json::parse(text).get<T>();
  } catch (const json::exception&) {
    fail(ErrorKind::data, "{}: column {} is damaged: {}", store.string(), column, text.substr(0, 60));
  }
}

std::vector<Unit> parse_units(const std::string& text, const std::filesystem::path& store) {
  std::vector<Unit> units;
  using Row = std::tuple<std::string, int, int>;
  for (const auto& [kind, begin, end] : from_json<std::vector<Row>>(text, "units", store)) {
    units.push_back({kind == "prefix" ? UnitKind::prefix : UnitKind::chunk, begin, end});
  }
  return units;
}

SampleRow sample_row(Statement& row) {
  return {row.integer(0), row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4))};
}
constexpr const char* sample_columns = "SELECT sample, prompts, id, cluster, position FROM samples ";

PhaseSeconds read_seconds(Statement& row, int first) {
  return {row.real(first),     row.real(first + 1), row.real(first + 2),
          row.real(first + 3), row.real(first + 4), row.real(first + 5)};
}

void read_selections(Database& db, std::int64_t result, Outcome& outcome) {
  Statement rows = db.prepare("SELECT kind, layer, n, bitmap FROM selections WHERE result = ? ORDER BY kind, layer");
  rows.bind(result);
  while (rows.step()) {
    std::vector<int> chosen = unpack_indices(rows.blob(3), static_cast<int>(rows.integer(2)));
    const std::string kind = rows.text(0);
    if (kind == "kept") {
      outcome.kept = std::move(chosen);
    } else if (kind == "original") {
      outcome.selected_original = std::move(chosen);
    } else if (kind == "decode") {
      outcome.decode_selected = std::move(chosen);
    } else if (kind == "query") {
      outcome.selected_query = std::move(chosen);
    } else if (rows.integer(1) < 0) {
      outcome.selected = std::move(chosen);
    } else {
      if (!outcome.selected_per_layer) outcome.selected_per_layer.emplace();
      outcome.selected_per_layer->push_back(std::move(chosen));
    }
  }
}

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

SampleRecord Store::sample(std::int64_t id) {
  Statement row = impl_->db->prepare(
      "SELECT prompts, position, id, cluster, metric, prompt_hash, answers, all_classes, stop, max_new_tokens, units, "
      "evidence, "
      "n_context, n_query, question_begin, question_end, text, tokens FROM samples WHERE sample = ?");
  require(row.bind(id).step(), "{}: no sample {}", impl_->path.string(), id);
  SampleRecord s;
  s.prompts = row.text(0);
  s.position = static_cast<int>(row.integer(1));
  s.id = row.text(2);
  s.cluster = row.text(3);
  s.metric = row.text(4);
  s.prompt_hash = row.text(5);
  using Strings = std::vector<std::string>;
  s.references = from_json<Strings>(row.text(6), "answers", impl_->path);
  s.all_classes = from_json<Strings>(row.text(7), "all_classes", impl_->path);
  s.stop = from_json<Strings>(row.text(8), "stop", impl_->path);
  s.max_new_tokens = static_cast<int>(row.integer(9));
  s.units = parse_units(row.text(10), impl_->path);
  s.evidence = from_json<std::vector<std::pair<int, int>>>(row.text(11), "evidence", impl_->path);
  s.n_context = static_cast<int>(row.integer(12));
  s.n_query = static_cast<int>(row.integer(13));
  s.question_begin = static_cast<int>(row.integer(14));
  s.question_end = static_cast<int>(row.integer(15));
  s.text = decompress(row.blob(16), "a sample's text");
  s.tokens = unpack_tokens(row.blob(17));
  return s;
}

ResultRecord Store::result(std::int64_t id) {
  Statement row = impl_->db->prepare(
      "SELECT c.key, r.error, r.prediction, r.prediction_ids, r.first_token, r.score, r.layer_tokens, "
      "r.effective_ratio, "
      "r.exact_selected, r.flops, r.flops_ratio, r.bytes, seconds_load, seconds_place, seconds_select, "
      "seconds_recompute, "
      "seconds_query, seconds_first_token, seconds_decode, shared_timing, x.half, r.chunk_order, "
      "r.flops_decode FROM results r JOIN cells c USING (cell) LEFT JOIN scores x USING (result) WHERE r.result = ?");
  require(row.bind(id).step(), "{}: no result {}", impl_->path.string(), id);
  ResultRecord r;
  r.cell = row.text(0);
  r.prediction = row.text(2);
  r.score = row.is_null(5) ? std::numeric_limits<double>::quiet_NaN() : row.real(5);
  r.shared_timing = row.integer(19) != 0;
  Outcome& o = r.outcome;
  o.error = row.text(1);
  o.prediction_ids = from_json<std::vector<std::int32_t>>(row.text(3), "prediction_ids", impl_->path);
  o.first_token = static_cast<std::int32_t>(row.integer(4));
  o.layer_tokens = row.integer(6);
  o.effective_ratio = row.real(7);
  o.exact_selected = row.integer(8);
  o.flops = row.real(9);
  o.flops_ratio = row.real(10);
  o.bytes = row.real(11);
  o.seconds = read_seconds(row, 12);
  o.decode_seconds = row.real(18);
  if (!row.is_null(20)) o.scores = unpack_scores(row.blob(20));
  if (!row.text(21).empty()) o.order = from_json<std::vector<int>>(row.text(21), "chunk_order", impl_->path);
  o.decode_flops = row.real(22);
  read_selections(*impl_->db, id, o);
  return r;
}

std::vector<std::int64_t> Store::result_ids_of_sample(std::int64_t sample) {
  std::vector<std::int64_t> out;
  Statement row = impl_->db->prepare("SELECT result FROM results WHERE sample = ? ORDER BY cell");
  row.bind(sample);
  while (row.step()) out.push_back(row.integer(0));
  return out;
}

}  // namespace kvmend
