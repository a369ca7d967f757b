#pragma once
// The little that AddressSanitizer and ThreadSanitizer must be told about fibers; nothing in other builds.
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SIMT_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define SIMT_ASAN 0
#endif

// Set by the build: the emulator's own sources are not instrumented, only kernels are.
#if !defined(SIMT_TSAN)
#define SIMT_TSAN 0
#endif
#if SIMT_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace simt {

/// While it lives, ThreadSanitizer does not look: the emulator's own accesses are ordered by the switches, which are
/// deliberately not told to it (only what orders threads on a GPU may). It must not live across a switch. Where the
/// code is not instrumented it hides library calls that are intercepted (memcpy).
class Unwatched {
 public:
#if SIMT_TSAN
  Unwatched() {
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
  }
  ~Unwatched() {
    AnnotateIgnoreReadsEnd("", 0);
    AnnotateIgnoreWritesEnd("", 0);
  }
#else
  Unwatched() {}
  ~Unwatched() {}
#endif
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

inline void release([[maybe_unused]] void* order) {
#if SIMT_TSAN
  __tsan_release(order);
#endif
}
inline void acquire([[maybe_unused]] void* order) {
#if SIMT_TSAN
  __tsan_acquire(order);
#endif
}
inline void unpoison([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if SIMT_ASAN
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#endif
}
inline void poison([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if SIMT_ASAN
  ASAN_POISON_MEMORY_REGION(begin, bytes);
#endif
}

}  // namespace simt
