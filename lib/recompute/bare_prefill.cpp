#include "recompute/bare_prefill.h"

#include "recompute/engine.h"
#include "recompute/pass_over.h"

namespace kvmend {

namespace {

/// All layers over the whole prompt.
Pass whole_pass(const Model& model, Queue& queue, const Sequence& sequence) {
  Pass pass(model, queue, pass_over(sequence));
  pass.run_until(model.config().n_layers);
  return pass;
}

void check_ids(const Model& model, std::span<const std::int32_t> ids) {
  Request request;
  request.query_ids.assign(ids.begin(), ids.end());
  request.question_end = request.n_query();
  check_request(request, model.config().vocab, model.config().context_length);
}

}  // namespace

std::vector<float> bare_hidden(const Model& model, std::span<const std::int32_t> ids) {
  check_ids(model, ids);
  const auto queue = model.backend().make_queue();
  const Sequence sequence = make_sequence(ids);
  const Pass pass = whole_pass(model, *queue, sequence);
  std::vector<float> out(ids.size() * static_cast<std::size_t>(model.config().d_model));
  queue->download(out, pass.hidden());
  return out;
}

BareLogits bare_logits(const Model& model, std::span<const std::int32_t> ids, bool every_position) {
  check_decoder(model.config());
  check_ids(model, ids);
  const auto queue = model.backend().make_queue();
  const Sequence sequence = make_sequence(ids);
  const Pass pass = whole_pass(model, *queue, sequence);

  BareLogits out;
  out.vocab = static_cast<std::size_t>(model.config().vocab);
  out.rows = every_position ? ids.size() : 1;
  out.values.resize(out.rows * out.vocab);
  constexpr std::int64_t block = 64;  // rows of logits at a time: a vocabulary's row is large
  const Tensor hidden = every_position ? pass.hidden() : pass.last_hidden();
  for (std::int64_t first = 0; first < hidden.rows(); first += block) {
    const std::int64_t count = std::min(block, hidden.rows() - first);
    const auto to =
        std::span(out.values)
            .subspan(static_cast<std::size_t>(first) * out.vocab, static_cast<std::size_t>(count) * out.vocab);
    queue->download(to, model.logits(*queue, hidden.row_range(first, count)));
  }
  return out;
}

}  // namespace kvmend
