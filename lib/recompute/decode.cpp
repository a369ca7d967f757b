#include "recompute/decode.h"

#include <algorithm>

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

/// Whether the answer goes on behind `token`; adds it if it belongs to the answer.
bool take_token(CellRun& cell, std::int32_t token, const DecodeOptions& options) {
  auto& answer = cell.outcome().prediction_ids;
  if (std::find(options.stops.begin(), options.stops.end(), token) != options.stops.end()) return false;
  answer.push_back(token);
  if (options.finished && options.finished(answer)) return false;
  return static_cast<int>(answer.size()) < options.max_new_tokens;
}

/// One token of every live cell through the model; returns the next one of each.
std::vector<std::int32_t> decode_step(Engine& engine, std::span<CellRun* const> live, int padded_rows) {
  const Model& model = engine.model();
  Queue& queue = engine.queue();
  const auto rows = static_cast<std::size_t>(std::max<int>(padded_rows, static_cast<int>(live.size())));
  std::vector<std::int32_t> ids(rows), positions(rows), steps(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    CellRun& cell = *live[i < live.size() ? i : 0];  // padding repeats the first cell's token; its result is not read
    steps[i] = static_cast<std::int32_t>(cell.outcome().prediction_ids.size()) - 1;
    ids[i] = cell.outcome().prediction_ids.back();
    positions[i] = cell.decode_position(steps[i]);
  }
  const auto n = static_cast<std::int64_t>(rows), n_live = static_cast<std::int64_t>(live.size());
  const Activations activations = model.make_activations(n);
  const LayerKv kv = model.make_layer_kv(n);
  model.embed(queue, activations, ids, positions);
  // Products take the padded batch, attention the live rows only: a padding row would read a whole cache. What stands in
  // the rows of padding is never read, but it must be numbers.
  const Tensor q = activations.q.row_range(0, n_live), attention = activations.attention.row_range(0, n_live);
  if (n > n_live) {
    const std::vector<float> zeros(static_cast<std::size_t>((n - n_live) * activations.attention.cols()));
    queue.upload(activations.attention.row_range(n_live, n - n_live), zeros);
  }
  std::vector<KvView> views(live.size());
  std::vector<std::optional<Temper>> tempers(live.size());
  for (int layer = 0; layer < model.config().n_layers; ++layer) {
    model.project(queue, layer, activations, kv);
    for (std::size_t i = 0; i < live.size(); ++i) {
      CellRun& cell = *live[i];
      const LayerKv slot = cell.decode_slot(layer, steps[i]);
      queue.copy(slot.k, kv.k.row_range(static_cast<std::int64_t>(i), 1));
      queue.copy(slot.v, kv.v.row_range(static_cast<std::int64_t>(i), 1));
      views[i] = cell.decode_view(layer, steps[i]);
      tempers[i] = cell.decode_temper(layer, steps[i]);
    }
    queue.decode_attention(attention, q, views, model.config().head_dim, model.attention_scale(), tempers);
    for (std::size_t i = 0; i < live.size(); ++i) {  // cells whose attention needs more than one row of a batch
      const auto row = static_cast<std::int64_t>(i);
      const Tensor own_q = q.row_range(row, 1);
      if (live[i]->splits()) live[i]->attend_split(layer, steps[i], own_q, attention.row_range(row, 1));
      if (auto* repairer = live[i]->repairer()) repairer->watch(layer, own_q, views[i]);
    }
    model.finish(queue, layer, activations);
  }
  const Tensor next = model.backend().allocate(DType::i32, n, 1);
  queue.argmax(next, model.logits(queue, activations.hidden));
  std::vector<std::int32_t> host(rows);
  queue.download(host, next);
  host.resize(live.size());
  return host;
}

}  // namespace

void decode(Engine& engine, std::span<CellRun* const> cells, const DecodeOptions& options) {
  if (options.max_new_tokens < 1) return;
  const int padded = engine.backend().decode_rows();
  const Stopwatch watch;
  std::vector<CellRun*> live;
  for (CellRun* cell : cells) {
    if (take_token(*cell, cell->outcome().first_token, options)) live.push_back(cell);
  }
  while (!live.empty()) {
    std::vector<CellRun*> next_live;
    const auto batch = static_cast<std::size_t>(padded > 1 ? padded : engine.backend().max_decode_rows());
    for (std::size_t first = 0; first < live.size(); first += batch) {
      const auto group = std::span(live).subspan(first, std::min(batch, live.size() - first));
      const auto tokens = decode_step(engine, group, padded);
      for (std::size_t i = 0; i < group.size(); ++i) {
        if (!take_token(*group[i], tokens[i], options)) continue;
        next_live.push_back(group[i]);
        if (auto* repairer = group[i]->repairer()) repairer->end_step();
      }
    }
    live = std::move(next_live);
  }
  std::size_t total = 0;
  for (CellRun* cell : cells) total += cell->outcome().prediction_ids.size();
  for (CellRun* cell : cells) {
    const double share = static_cast<double>(cell->outcome().prediction_ids.size()) /
                         static_cast<double>(std::max<std::size_t>(1, total));
    cell->outcome().decode_seconds = watch.seconds() * share;
  }
}

}  // namespace kvmend
