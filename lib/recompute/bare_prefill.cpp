#include "recompute/bare_prefill.h"

#include <numeric>

#include "recompute/pass.h"

namespace kvmend {

BareLogits bare_logits(const Model& model, std::span<const std::int32_t> ids, bool every_position) {
  Request request;
  request.query_ids.assign(ids.begin(), ids.end());
  request.question_end = request.n_query();
  check_request(request, model.config().vocab, model.config().context_length);

  const auto queue = model.backend().make_queue();
  const Sequence sequence = make_sequence(ids);
  PassSpec spec;
  spec.sequence = &sequence;
  spec.active.resize(ids.size());
  std::iota(spec.active.begin(), spec.active.end(), 0);
  Pass pass(model, *queue, std::move(spec));
  pass.run_until(model.config().n_layers);

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
