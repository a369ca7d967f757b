#pragma once
// Stacks to run on and the switch between them: own assembly, because ucontext's system call costs a hundred times as
// much and a kernel switches millions of times.
#include <cstddef>

#include "sanitizers.h"

namespace simt {

/// A stack with what was running on it. The worker thread's own stack is a Context that owns no memory.
class Context {
 public:
  Context() = default;
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Takes the calling thread's stack; it can be switched away from and back to.
  void adopt_thread();
  /// Memory for a stack (once), and `entry` to be called at the first switch to it. What ran on it before is gone.
  void start(void (*entry)());
  /// Leaves `from`, the running context, for this one. Returns when something switches back.
  void switch_from(Context& from);
  /// First thing on a new stack.
  static void arrived();

 private:
  void* stack_pointer_ = nullptr;
  unsigned char* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
  bool owned_ = false;
  void* asan_frames_ = nullptr;
  void* tsan_fiber_ = nullptr;
};

}  // namespace simt
