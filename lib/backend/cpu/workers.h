#pragma once
#include <cstdint>
#include <functional>
#include <mutex>

#include "core/thread_pool.h"

namespace kvmend {

/// The backend's threads, shared by its queues: one parallel loop at a time, others wait.
class Workers {
 public:
  explicit Workers(int threads) : pool_(threads) {}

  int size() const { return pool_.size(); }

  void parallel_for(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t, std::int64_t, int)>& body) {
    const std::lock_guard lock(mutex_);
    pool_.parallel_for(count, grain, body);
  }

 private:
  std::mutex mutex_;
  ThreadPool pool_;
};

}  // namespace kvmend
