#include "recompute/chunk_stream.h"

#include "core/error.h"
#include "recompute/stopwatch.h"

namespace kvmend {

ChunkStream::ChunkStream(Backend& backend, std::vector<ChunkStore::Opened> chunks)
    : backend_(backend), chunks_(std::move(chunks)), uploads_(backend.make_uploads()) {
  bool from_disk = false;
  for (const auto& chunk : chunks_) {
    const HostChunk* from = chunk.off_device();
    if (!from) continue;
    n_layers_ = from->shape().n_layers;
    from_disk |= chunk.arriving != nullptr;
  }
  if (from_disk) {
    reader_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
    return;
  }
  read_ = n_layers_;
  reading_.assign(static_cast<std::size_t>(n_layers_), 0);
}

/// A layer of every chunk before the next layer of any: in the order of their use.
void ChunkStream::read(const std::stop_token& stop) {
  try {
    for (int layer = 1; layer <= n_layers_ && !stop.stop_requested(); ++layer) {
      const Stopwatch watch;
      for (const auto& chunk : chunks_)
        if (chunk.arriving) chunk.arriving->read(layer);
      const std::lock_guard lock(mutex_);
      reading_.push_back(watch.seconds());
      read_ = layer;
      news_.notify_one();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    news_.notify_one();
  }
}

/// Throws what reading it threw.
bool ChunkStream::is_read(int layer, bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) news_.wait(lock, [&] { return read_ > layer || failure_; });
  if (read_ > layer) return true;
  if (wait) std::rethrow_exception(failure_);
  return false;
}

void ChunkStream::begin_layer() {
  Layer layer;
  for (const auto& chunk : chunks_) {
    LayerKv& kv = layer.chunks.emplace_back();
    const HostChunk* from = chunk.off_device();
    if (!from) continue;
    const ChunkShape& shape = from->shape();
    kv.k = backend_.allocate(shape.dtype, shape.tokens, shape.kv_width);
    kv.v = backend_.allocate(shape.dtype, shape.tokens, shape.kv_width);
    uploads_->begin(kv.k, from->part(begun_, false));
    layer.last_copy = uploads_->begin(kv.v, from->part(begun_, true));
  }
  ++begun_;
  under_way_.push_back(std::move(layer));
}

std::vector<LayerKv> ChunkStream::next_layer() {
  require(begun_ < n_layers_ || !under_way_.empty(), "a stream of {} layers is asked for another", n_layers_);
  // The host goes no more than a layer ahead of the copies: those that are not waited for keep their memory. The device has
  // that layer's work to do meanwhile.
  arrivals();
  // What is asked for is waited for; what comes after it only goes ahead.
  while (begun_ < n_layers_ && under_way_.size() <= ahead && is_read(begun_, under_way_.empty())) begin_layer();
  Layer layer = std::move(under_way_.front());
  under_way_.pop_front();
  if (layer.last_copy >= 0) uploads_->order(layer.last_copy);
  last_copies_.push_back(layer.last_copy);
  return std::move(layer.chunks);
}

const std::vector<double>& ChunkStream::arrivals() {
  while (arrivals_.size() < last_copies_.size()) {
    const std::int64_t copy = last_copies_[arrivals_.size()];
    const double copying = copy >= 0 ? uploads_->wait(copy) : 0;
    const std::lock_guard lock(mutex_);
    arrivals_.push_back(reading_[arrivals_.size()] + copying);
  }
  return arrivals_;
}

}  // namespace kvmend
