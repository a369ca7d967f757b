#include "recompute/chunk_stream.h"

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {

namespace {

/// Layers on the device beside the one in use: while one is copied the other is waited for.
constexpr std::size_t kAhead = 2;

}  // namespace

ChunkStream::ChunkStream(Backend& backend, std::vector<std::shared_ptr<const HostChunk>> chunks)
    : backend_(backend), chunks_(std::move(chunks)), uploads_(backend.make_uploads()) {
  for (const auto& chunk : chunks_)
    if (chunk) n_layers_ = chunk->shape().n_layers;
}

void ChunkStream::begin_layer() {
  Layer layer;
  for (const auto& chunk : chunks_) {
    LayerKv& kv = layer.chunks.emplace_back();
    if (!chunk) continue;
    const ChunkShape& shape = chunk->shape();
    kv.k = backend_.allocate(shape.dtype, shape.tokens, shape.kv_width);
    kv.v = backend_.allocate(shape.dtype, shape.tokens, shape.kv_width);
    uploads_->begin(kv.k, chunk->part(begun_, false));
    layer.last_copy = uploads_->begin(kv.v, chunk->part(begun_, true));
  }
  ++begun_;
  under_way_.push_back(std::move(layer));
}

std::vector<LayerKv> ChunkStream::next_layer() {
  const Stopwatch watch;
  require(begun_ < n_layers_ || !under_way_.empty(), "a stream of {} layers is asked for another", n_layers_);
  while (begun_ < n_layers_ && under_way_.size() <= kAhead) begin_layer();
  Layer layer = std::move(under_way_.front());
  under_way_.pop_front();
  if (layer.last_copy >= 0) uploads_->wait(layer.last_copy);
  waited_ += watch.seconds();
  return std::move(layer.chunks);
}

}  // namespace kvmend
