// One sample and one result with all there is of them: texts, tokens, selections, scores.
#include <limits>
#include <utility>

#include "core/error.h"
#include "experiment/store/blob.h"
#include "experiment/store/columns.h"
#include "experiment/store/impl.h"

namespace kvmend {
namespace {

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
  s.references = json_column<Strings>(row.text(6), "answers", impl_->path);
  s.all_classes = json_column<Strings>(row.text(7), "all_classes", impl_->path);
  s.stop = json_column<Strings>(row.text(8), "stop", impl_->path);
  s.max_new_tokens = static_cast<int>(row.integer(9));
  s.units = parse_units(row.text(10), impl_->path);
  s.evidence = json_column<std::vector<std::pair<int, int>>>(row.text(11), "evidence", impl_->path);
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
  o.prediction_ids = json_column<std::vector<std::int32_t>>(row.text(3), "prediction_ids", impl_->path);
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
  if (!row.text(21).empty()) o.order = json_column<std::vector<int>>(row.text(21), "chunk_order", impl_->path);
  o.decode_flops = row.real(22);
  read_selections(*impl_->db, id, o);
  return r;
}

}  // namespace kvmend
