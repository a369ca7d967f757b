#include "context.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" void simt_switch(void** save, void* load);

#if defined(__x86_64__)
// Callee-saved registers go onto the stack that is left; the return address is there already.
asm(R"(.text
.globl simt_switch
.hidden simt_switch
.type simt_switch,@function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp,(%rdi)
  movq %rsi,%rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch,.-simt_switch
)");
#elif defined(__aarch64__)
asm(R"(.text
.globl simt_switch
.hidden simt_switch
.type simt_switch,%function
simt_switch:
  sub sp,sp,#160
  stp x19,x20,[sp,#0]
  stp x21,x22,[sp,#16]
  stp x23,x24,[sp,#32]
  stp x25,x26,[sp,#48]
  stp x27,x28,[sp,#64]
  stp x29,x30,[sp,#80]
  stp d8,d9,[sp,#96]
  stp d10,d11,[sp,#112]
  stp d12,d13,[sp,#128]
  stp d14,d15,[sp,#144]
  mov x9,sp
  str x9,[x0]
  mov sp,x1
  ldp x19,x20,[sp,#0]
  ldp x21,x22,[sp,#16]
  ldp x23,x24,[sp,#32]
  ldp x25,x26,[sp,#48]
  ldp x27,x28,[sp,#64]
  ldp x29,x30,[sp,#80]
  ldp d8,d9,[sp,#96]
  ldp d10,d11,[sp,#112]
  ldp d12,d13,[sp,#128]
  ldp d14,d15,[sp,#144]
  add sp,sp,#160
  ret
.size simt_switch,.-simt_switch
)");
#else
#error "the emulator's context switch is written for x86-64 and aarch64"
#endif

namespace simt {

namespace {

constexpr std::size_t kStackBytes = (SIMT_ASAN || SIMT_TSAN ? 256 : 64) * std::size_t{1024};
constexpr std::size_t kGuardBytes = 4096;  // below each stack: an overflow faults instead of writing elsewhere

}  // namespace

Context::~Context() {
#if SIMT_TSAN
  if (owned_ && tsan_fiber_ != nullptr) __tsan_destroy_fiber(tsan_fiber_);
#endif
  if (owned_) munmap(stack_ - kGuardBytes, stack_bytes_ + kGuardBytes);
}

void Context::adopt_thread() {
  if (stack_ == nullptr) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    void* begin = nullptr;
    pthread_attr_getstack(&attributes, &begin, &stack_bytes_);
    pthread_attr_destroy(&attributes);
    stack_ = static_cast<unsigned char*>(begin);
  }
#if SIMT_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

void Context::start(void (*entry)()) {
  if (stack_ == nullptr) {
    void* memory = mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
      std::perror("simt: no memory for a stack");
      std::abort();
    }
    stack_ = static_cast<unsigned char*>(memory) + kGuardBytes;
    stack_bytes_ = kStackBytes;
    owned_ = true;
  }
  unpoison(stack_, stack_bytes_);
  // Stacks lie whole pages apart. Tops at one offset of their pages would share a few sets of the first level cache.
  static std::atomic<unsigned> started{0};
  const std::size_t colour = started.fetch_add(1, std::memory_order_relaxed) % 16 * 256;
  auto** top = reinterpret_cast<void**>(stack_ + stack_bytes_ - colour);
#if defined(__x86_64__)
  constexpr int saved = 6;
  *--top = nullptr;  // the entry finds the stack as after a call
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < saved; ++i) *--top = nullptr;
#else
  constexpr int saved = 20, link_register = 11;
  top -= saved;
  std::memset(static_cast<void*>(top), 0, saved * sizeof(void*));
  top[link_register] = reinterpret_cast<void*>(entry);
#endif
  stack_pointer_ = static_cast<void*>(top);
#if SIMT_TSAN
  if (tsan_fiber_ != nullptr) __tsan_destroy_fiber(tsan_fiber_);
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

void Context::switch_from(Context& from) {
#if SIMT_TSAN
  constexpr unsigned without_order = 1;  // only barriers and atomics order the threads of a GPU
  __tsan_switch_to_fiber(tsan_fiber_, without_order);
#endif
#if SIMT_ASAN
  __sanitizer_start_switch_fiber(&from.asan_frames_, stack_, stack_bytes_);
#endif
  simt_switch(&from.stack_pointer_, stack_pointer_);
#if SIMT_ASAN
  __sanitizer_finish_switch_fiber(from.asan_frames_, nullptr, nullptr);
#endif
}

void Context::arrived() {
#if SIMT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

}  // namespace simt
