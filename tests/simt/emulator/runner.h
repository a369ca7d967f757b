#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "options.h"
#include "ready_queue.h"
#include "shared_memory.h"
#include "thread.h"

namespace simt {

/// What a launch asks for.
struct Launch {
  const char* name = "";
  uint3 grid{}, block{};
  std::size_t shared_bytes = 0;
  std::function<void()> body;  ///< one thread's work
};

/// Runs blocks, one after the other, on the host thread that owns it.
class Runner {
 public:
  Runner();
  static Runner& of_this_thread();

  /// Returns what was wrong, or nothing.
  std::string run(const Launch& launch, uint3 block_index);

  // Called by the threads of the block:
  void barrier(Thread& me, Barrier kind, int predicate, Site site);
  Rendezvous& meet(Thread& me, unsigned mask, Collective kind, int parameter, const void* value, std::size_t bytes,
                   Site site);
  void* static_shared(const void* key, std::size_t bytes) {
    return shared_.array(key, bytes, SharedMemory::kStaticLimit + dynamic_bytes_);
  }
  void maybe_yield(Thread& me);
  [[noreturn]] void trap(const std::string& what);

 private:
  static void thread_main();
  void begin_block(const Launch& launch, uint3 block_index);
  void finish_thread(Thread& me);
  void prepare_threads(const Launch& launch);
  /// Puts threads into the ready queue in the schedule's order, which it leaves `threads` in.
  void make_ready(unsigned* threads, unsigned count, bool next);
  void run_next(Thread& me);
  std::string describe_deadlock();
  Rendezvous* find_rendezvous(Thread& me, unsigned mask, Collective kind, Site site);

  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::vector<std::unique_ptr<Rendezvous>>> meetings_;  ///< of each warp
  ReadyQueue ready_;
  std::vector<unsigned> all_;  ///< the block's threads, in any order
  Block block_;
  const Launch* launch_ = nullptr;
  SharedMemory shared_;
  std::size_t dynamic_bytes_ = 0;
  std::string fault_;
  Random random_;
  Schedule schedule_ = Schedule::forward;
  Context scheduler_;
  // What ThreadSanitizer orders threads by: a block's start and end, and two barriers in turn.
  char block_order_ = 0, barrier_order_[2] = {0, 0};
  unsigned barrier_number_ = 0;
};

}  // namespace simt
