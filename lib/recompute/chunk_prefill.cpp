#include "recompute/chunk_prefill.h"

#include "recompute/pass_over.h"

namespace kvmend {

std::shared_ptr<const ChunkCache> prefill_chunk(const Model& model, Queue& queue, std::span<const std::int32_t> sink,
                                                std::span<const std::int32_t> unit) {
  std::vector<std::int32_t> ids(sink.begin(), sink.end());
  ids.insert(ids.end(), unit.begin(), unit.end());
  const Sequence sequence = make_sequence(ids);
  PassSpec spec = pass_over(sequence);
  spec.keep_unrotated = true;
  Pass pass(model, queue, std::move(spec));
  // The last layer's attention and MLP feed nothing that is kept: its projection is enough.
  pass.run_until(model.config().n_layers - 1);
  pass.begin_layer();

  const auto dropped = static_cast<std::int64_t>(sink.size()), kept = static_cast<std::int64_t>(unit.size());
  const std::vector<Tensor> keys = pass.take_unrotated();
  const std::vector<LayerCache> caches = pass.take_caches();
  auto cache = std::make_shared<ChunkCache>();
  cache->tokens = static_cast<int>(kept);
  for (std::size_t layer = 0; layer < keys.size(); ++layer) {
    if (dropped == 0) {
      cache->layers.push_back({keys[layer], caches[layer].overlay.v});
      continue;
    }
    const LayerKv kv = model.make_layer_kv(kept);  // copies, so that the sink's rows are freed
    queue.copy(kv.k, keys[layer].row_range(dropped, kept));
    queue.copy(kv.v, caches[layer].overlay.v.row_range(dropped, kept));
    cache->layers.push_back(kv);
  }
  return cache;
}

}  // namespace kvmend
