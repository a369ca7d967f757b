#include "experiment/export.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "experiment/kept.h"
#include "experiment/outcome_json.h"
#include "experiment/table_format.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

/// Results with their cell and sample at hand.
class Rows {
 public:
  Rows(Store& store, const ExportKeys& wanted) : store_(store), wanted_(wanted), cells_(store.cells()) {
    const auto ids = store.cell_ids();
    for (std::size_t i = 0; i < ids.size(); ++i) by_id_[ids[i]] = i;
  }

  template <class Visit>
  void each(const Visit& visit) {
    std::int64_t loaded = -1;
    SampleRecord sample;
    for (const ResultRow& row : store_.results()) {
      if (wanted_ && !wanted_->contains(cells_[by_id_.at(row.cell)].key)) continue;
      if (row.sample != loaded) {
        sample = store_.sample(row.sample);
        loaded = row.sample;
      }
      visit(row, cells_[by_id_.at(row.cell)], sample);
    }
  }

 private:
  Store& store_;
  const ExportKeys& wanted_;
  std::vector<CellRecord> cells_;
  std::map<std::int64_t, std::size_t> by_id_;
};

Json identity_json(const CellRecord& cell, const SampleRecord& sample, const RunFacts& facts) {
  Json out{{"cell", cell.key},
           {"strategy", cell.strategy},
           {"label", cell.label},
           {"labels", facts.labels(cell)},
           {"params", Json::parse(cell.params.canonical())}};
  out["ratio"] = cell.ratio ? Json(*cell.ratio) : Json();
  out["task"] = cell.task;
  out["task_params"] = Json::parse(cell.task_params.canonical());
  out["model"] = cell.model;
  out["chunker"] = Json::parse(cell.chunker.canonical());
  out["dtype"] = cell.dtype;
  out["backend"] = cell.backend;
  out["sample"] = sample.id;
  out["position"] = sample.position;
  out["cluster"] = sample.cluster;
  out["prompt_hash"] = sample.prompt_hash;
  return out;
}

}  // namespace

std::string result_as_json(const SampleRecord& sample, const CellRecord& cell, const ResultRecord& result,
                           const RunFacts& facts) {
  const Outcome& o = result.outcome;
  const bool failed = !o.error.empty();
  Json out = identity_json(cell, sample, facts);
  out["n_context"] = sample.n_context;
  out["n_query"] = sample.n_query;
  out["units"] = units_json(sample.units);
  out["evidence"] = sample.evidence;
  out["references"] = sample.references;
  out["metric"] = sample.metric;
  out["status"] = failed ? "failed" : "ok";
  if (failed) out["error"] = o.error;
  out["prediction"] = result.prediction;
  out["score"] = failed ? Json() : Json(result.score);
  out["selected"] = o.selected;
  if (o.selected_per_layer) out["selected_per_layer"] = *o.selected_per_layer;
  if (o.order) out["order"] = *o.order;
  if (o.selected_original) out["selected_original"] = *o.selected_original;
  if (!o.decode_selected.empty()) {
    out["decode_selected"] = o.decode_selected;
    out["decode_flops"] = o.decode_flops;
  }
  if (o.kept) {
    out["kept"] = *o.kept;
    out["kept_fraction"] = kept_fraction(o, sample.n_context);
    if (const auto saved = memory_saved(dropped_rows(o, sample.n_context), facts.kv_bytes_per_token(cell)))
      out["memory_saved_bytes"] = std::llround(*saved);
  }
  if (o.selected_query) out["selected_query"] = *o.selected_query;
  if (!o.scores.empty()) out["scores"] = o.scores;
  out["exact_selected"] = o.exact_selected;
  out["layer_tokens"] = o.layer_tokens;
  out["effective_ratio"] = o.effective_ratio;
  out["flops"] = o.flops;
  out["flops_ratio"] = o.flops_ratio;
  out["bytes"] = o.bytes;
  out["seconds"] = seconds_json(o.seconds);
  out["decode_seconds"] = o.decode_seconds;
  out["shared_timing"] = result.shared_timing;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void export_jsonl(Store& store, const std::function<void(const std::string&)>& emit, const ExportKeys& wanted) {
  const RunFacts facts(store);
  Rows(store, wanted).each([&](const ResultRow& row, const CellRecord& cell, const SampleRecord& sample) {
    emit(result_as_json(sample, cell, store.result(row.id), facts));
  });
}

void export_csv(Store& store, const std::function<void(const std::string&)>& emit, const ExportKeys& wanted) {
  emit(
      "strategy,label,ratio,task,model,chunker,sample,cluster,status,score,effective_ratio,flops_ratio,flops,"
      "layer_tokens,ttft_s,select_s,prediction,labels,kept_fraction,memory_saved_bytes,task_params");
  const RunFacts facts(store);
  Rows(store, wanted).each([&](const ResultRow& row, const CellRecord& cell, const SampleRecord& sample) {
    const ResultRecord result = store.result(row.id);
    const auto saved = memory_saved(row.dropped, facts.kv_bytes_per_token(cell));
    emit(fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", csv_field(cell.strategy),
                     csv_field(cell.label), cell.ratio ? format_number(*cell.ratio) : "", csv_field(cell.task),
                     csv_field(cell.model), csv_field(cell.chunker.flow()), csv_field(sample.id),
                     csv_field(sample.cluster), row.failed ? "failed" : "ok",
                     row.failed ? "" : format_number(row.score), format_number(row.effective_ratio),
                     format_number(row.flops_ratio), format_number(row.flops), row.layer_tokens,
                     format_number(row.seconds.ttft()), format_number(row.seconds.select), csv_field(result.prediction),
                     csv_field(facts.labels(cell)), row.failed ? "" : format_number(row.kept),
                     row.failed || !saved ? "" : format_number(*saved), csv_field(cell.task_params.flow())));
  });
}

}  // namespace kvmend
