#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kvmend {

/// Workers that split index ranges between themselves and the calling thread. Idle workers sleep: one that has just worked
/// looks out for more for some microseconds first, since a model's layers follow each other faster than a thread wakes.
class ThreadPool {
 public:
  /// `threads` counts the calling thread; 0 takes the number of processors this process may use. Throws std::system_error
  /// where the system has no room for so many.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(begin, end, thread) on disjoint pieces of [0, count), each at most `grain` long, handed out in
  /// order as threads become free; `thread` is in [0, size()). Returns when all are done; the first exception
  /// is rethrown. Not reentrant: one parallel_for at a time.
  void parallel_for(std::int64_t count, std::int64_t grain,
                    const std::function<void(std::int64_t, std::int64_t, int)>& body);

 private:
  void work(int thread);
  void drain(int thread);
  void stop();

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> busy_{0};
  const std::function<void(std::int64_t, std::int64_t, int)>* body_ = nullptr;
  std::int64_t count_ = 0, grain_ = 1;
  std::atomic<std::int64_t> next_{0};
  std::exception_ptr error_;
  std::vector<std::jthread> workers_;  ///< last: they end before what they use
};

/// Processors this process may run on (its affinity mask), at least 1.
int available_processors();

}  // namespace kvmend
