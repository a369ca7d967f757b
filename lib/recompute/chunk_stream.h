#pragma once
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "cache/host_chunk.h"

namespace kvmend {

/// The layers of chunk caches in host memory on their way to the device, copied beside its work and ahead of their use.
class ChunkStream {
 public:
  /// A null chunk is on the device already and gets no tensors.
  ChunkStream(Backend& backend, std::vector<std::shared_ptr<const HostChunk>> chunks);

  /// The next layer of each chunk, in order from layer 0. Returns when it is there, with the layers behind it under way.
  std::vector<LayerKv> next_layer();
  /// Seconds that next_layer waited for copies.
  double waited_seconds() const { return waited_; }

 private:
  struct Layer {
    std::vector<LayerKv> chunks;
    std::int64_t last_copy = -1;
  };
  void begin_layer();

  Backend& backend_;
  std::vector<std::shared_ptr<const HostChunk>> chunks_;
  std::unique_ptr<Uploads> uploads_;
  std::deque<Layer> under_way_;
  int n_layers_ = 0, begun_ = 0;
  double waited_ = 0;
};

}  // namespace kvmend
