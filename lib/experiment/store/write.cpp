#include <sys/random.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "experiment/store/impl.h"
#include "experiment/store/redact.h"

namespace kvmend {
namespace {

using nlohmann::json;

std::string dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string random_id() {
  unsigned char raw[16] = {};
  require(::getrandom(raw, sizeof raw, 0) == sizeof raw, "the system gives no random bytes");
  std::string id;
  for (const unsigned char byte : raw) id += fmt::format("{:02x}", byte);
  return id;
}

json units_json(const SampleRecord& sample) {
  json units = json::array();
  for (const auto& unit : sample.units) {
    units.push_back({unit.kind == UnitKind::prefix ? "prefix" : "chunk", unit.begin, unit.end});
  }
  return units;
}

/// The sample's row, made if it is not there.
std::int64_t put_sample_row(Database& db, const SampleRecord& sample) {
  Statement find = db.prepare("SELECT sample, prompt_hash, id, metric FROM samples WHERE prompts = ? AND position = ?");
  if (find.bind(sample.prompts, sample.position).step()) {
    if (find.text(1) != sample.prompt_hash || find.text(2) != sample.id) {
      fail(ErrorKind::data,
           "{}: sample {} (number {}) was stored with another prompt under the same key; a task, chunker or tokenizer "
           "changed without a new version: use a new store",
           db.path().string(), sample.id, sample.position);
    }
    if (find.text(3) != sample.metric) {
      fail(ErrorKind::data,
           "{}: sample {} is scored by {}, what is to be added by {}; `kvmend run` on it scores it by the config's",
           db.path().string(), sample.id, find.text(3), sample.metric);
    }
    return find.integer(0);
  }
  Statement insert = db.prepare(
      "INSERT INTO samples (prompts, position, id, cluster, metric, prompt_hash, answers, all_classes, stop, "
      "max_new_tokens, units, evidence, n_context, n_query, question_begin, question_end, text, tokens) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const bool redact = is_redacted(db, sample.prompts);
  const std::string text = compress(redact ? redacted_text(sample.text) : sample.text);
  const std::string tokens = pack_tokens(redact ? redacted_tokens(sample.tokens) : sample.tokens);
  insert
      .bind(sample.prompts, sample.position, sample.id, sample.cluster, sample.metric, sample.prompt_hash,
            dump(sample.references), dump(sample.all_classes), dump(sample.stop), sample.max_new_tokens,
            dump(units_json(sample)), dump(sample.evidence), sample.n_context, sample.n_query, sample.question_begin,
            sample.question_end, as_blob(text), as_blob(tokens))
      .run();
  return db.last_row_id();
}

void put_selection(Database& db, std::int64_t result, const char* kind, int layer, const std::vector<int>& chosen,
                   int n) {
  Statement insert =
      db.prepare("INSERT INTO selections (result, kind, layer, n, chosen, bitmap) VALUES (?, ?, ?, ?, ?, ?)");
  const std::string bitmap = pack_indices(chosen, n);
  insert.bind(result, kind, layer, n, static_cast<std::int64_t>(chosen.size()), as_blob(bitmap)).run();
}

void put_selections(Database& db, std::int64_t result, const Outcome& outcome, const SampleRecord& sample) {
  put_selection(db, result, "selected", -1, outcome.selected, sample.n_context);
  if (outcome.selected_per_layer) {
    int layer = 0;
    for (const auto& chosen : *outcome.selected_per_layer)
      put_selection(db, result, "selected", layer++, chosen, sample.n_context);
  }
  if (outcome.kept) put_selection(db, result, "kept", -1, *outcome.kept, sample.n_context);
  if (outcome.selected_original) {
    put_selection(db, result, "original", -1, *outcome.selected_original, sample.n_context);
  }
  if (!outcome.decode_selected.empty()) {
    put_selection(db, result, "decode", -1, outcome.decode_selected, sample.n_context);
  }
  if (outcome.selected_query) put_selection(db, result, "query", -1, *outcome.selected_query, sample.n_query);
}

void put_result(Database& db, std::int64_t run, std::int64_t cell, std::int64_t sample_id, const SampleRecord& sample,
                const ResultRecord& result) {
  const Outcome& o = result.outcome;
  const bool failed = !o.error.empty();
  db.prepare("DELETE FROM results WHERE cell = ? AND sample = ?").bind(cell, sample_id).run();
  Statement insert = db.prepare(
      "INSERT INTO results (cell, sample, run, status, error, prediction, prediction_ids, first_token, score, "
      "layer_tokens, effective_ratio, exact_selected, flops, flops_ratio, bytes, seconds_load, seconds_place, "
      "seconds_select, seconds_recompute, seconds_query, seconds_first_token, seconds_decode, shared_timing, "
      "chunk_order, "
      "flops_decode) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert
      .bind(cell, sample_id, run, failed ? "failed" : "ok", o.error, result.prediction, dump(o.prediction_ids),
            o.first_token, failed ? std::optional<double>() : std::optional<double>(result.score), o.layer_tokens,
            o.effective_ratio, o.exact_selected, o.flops, o.flops_ratio, o.bytes, o.seconds.load, o.seconds.place,
            o.seconds.select, o.seconds.recompute, o.seconds.query, o.seconds.first_token, o.decode_seconds,
            result.shared_timing, o.order ? dump(*o.order) : std::string(), o.decode_flops)
      .run();
  const std::int64_t id = db.last_row_id();
  if (failed) return;
  put_selections(db, id, o, sample);
  if (o.scores.empty()) return;
  const std::string half = pack_scores(o.scores);
  db.prepare("INSERT INTO scores (result, n, half) VALUES (?, ?, ?)")
      .bind(id, static_cast<std::int64_t>(o.scores.size()), as_blob(half))
      .run();
}

}  // namespace

std::int64_t Store::begin_run(const RunRecord& run) {
  Database& db = *impl_->db;
  Transaction transaction(db);
  Statement insert = db.prepare(
      "INSERT INTO runs (uuid, name, config, canonical, models, version, build, host, device, backend, command, "
      "threads, "
      "started, finished, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert
      .bind(run.uuid.empty() ? random_id() : run.uuid, run.name, run.config, run.canonical.canonical(),
            run.models.canonical(), run.version, run.build, run.host, run.device, run.backend, run.command, run.threads,
            run.started > 0 ? run.started : now(),
            run.finished > 0 ? std::optional<double>(run.finished) : std::nullopt,
            run.status.empty() ? "running" : run.status)
      .run();
  const std::int64_t id = db.last_row_id();
  transaction.commit();
  return id;
}

void Store::end_run(std::int64_t run, const std::string& status) {
  impl_->db->prepare("UPDATE runs SET finished = ?, status = ? WHERE run = ?").bind(now(), status, run).run();
}

std::int64_t Store::copy_run(const RunRecord& run) {
  Statement find = impl_->db->prepare("SELECT run FROM runs WHERE uuid = ?");
  if (!find.bind(run.uuid).step()) return begin_run(run);
  const std::int64_t id = find.integer(0);
  impl_->db->prepare("UPDATE runs SET finished = ?1, status = ?2 WHERE run = ?3 AND coalesce(finished, 0) < ?1")
      .bind(run.finished, run.status, id)
      .run();
  return id;
}

void Store::add_cells(std::int64_t run, std::span<const CellRecord> cells) {
  Database& db = *impl_->db;
  Transaction transaction(db);
  Statement insert = db.prepare(
      "INSERT INTO cells (key, prompts, canonical, strategy, label, series, params, ratio, task, task_params, model, "
      "weights, chunker, dtype, backend, chat, load_from, tokenize) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      // A label may be renamed by `as`: the last run's is what tables show.
      "ON CONFLICT (key) DO UPDATE SET label = excluded.label, series = excluded.series, model = excluded.model");
  Statement want = db.prepare(
      "INSERT INTO run_cells (run, cell, samples) VALUES (?, ?, ?) "
      "ON CONFLICT (run, cell) DO UPDATE SET samples = max(samples, excluded.samples)");
  for (const auto& c : cells) {
    insert
        .bind(c.key, c.prompts, c.canonical.canonical(), c.strategy, c.label, c.series, c.params.canonical(), c.ratio,
              c.task, c.task_params.canonical(), c.model, c.weights, c.chunker.canonical(), c.dtype, c.backend, c.chat,
              c.load_from, c.tokenize)
        .run();
    want.bind(run, impl_->cell_id(c.key), c.samples).run();
  }
  transaction.commit();
}

void Store::put_sample(std::int64_t run, const SampleRecord& sample, std::span<const ResultRecord> results) {
  Database& db = *impl_->db;
  Transaction transaction(db);
  const std::int64_t sample_id = put_sample_row(db, sample);
  for (const auto& result : results) put_result(db, run, impl_->cell_id(result.cell), sample_id, sample, result);
  transaction.commit();
}

void Store::set_scores(std::span<const std::pair<std::int64_t, double>> scores) {
  Transaction transaction(*impl_->db);
  Statement update = impl_->db->prepare("UPDATE results SET score = ? WHERE result = ? AND status = 'ok'");
  for (const auto& [result, score] : scores) update.bind(score, result).run();
  transaction.commit();
}

}  // namespace kvmend
