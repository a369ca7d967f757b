#pragma once
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cache/chunk_store.h"

namespace kvmend {

/// The layers of chunk caches in host memory or on disk on their way to the device: a thread reads them from disk, and
/// they are copied beside the device's work and ahead of their use.
class ChunkStream {
 public:
  /// A chunk that is on the device already gets no tensors.
  ChunkStream(Backend& backend, std::vector<ChunkStore::Opened> chunks);

  /// The next layer of each chunk, in order from layer 0, for what is queued from then on, with the layers behind it under way.
  /// Waits for reading it, and for copying the layer before. Throws StaleChunk where a file turns out to be damaged.
  std::vector<LayerKv> next_layer();
  /// For each layer handed out so far, the seconds that reading and copying it took by itself. Waits for the copies.
  const std::vector<double>& arrivals();
  /// Layers that may be under way or on the device beside the one that was handed out last.
  static constexpr int ahead = 2;

 private:
  struct Layer {
    std::vector<LayerKv> chunks;
    std::int64_t last_copy = -1;
  };
  void read(const std::stop_token& stop);
  bool is_read(int layer, bool wait);
  void begin_layer();

  Backend& backend_;
  std::vector<ChunkStore::Opened> chunks_;
  std::unique_ptr<Uploads> uploads_;
  std::deque<Layer> under_way_;
  int n_layers_ = 0, begun_ = 0;
  std::vector<std::int64_t> last_copies_;  ///< of the layers handed out
  std::vector<double> arrivals_;           ///< of those whose copies were waited for

  std::mutex mutex_;
  std::condition_variable news_;
  int read_ = 0;                 ///< layers that are in host memory
  std::vector<double> reading_;  ///< seconds of each of them
  std::exception_ptr failure_;   ///< of the thread
  std::jthread reader_;          ///< last: it ends before what it uses
};

}  // namespace kvmend
