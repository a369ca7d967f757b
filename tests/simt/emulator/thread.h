#pragma once
// What a kernel sees of the machine that runs it: its thread, its block, and the rendezvous between threads.
#include <vector_types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "context.h"

namespace simt {

/// A place in a kernel's source: barriers and collectives compare it.
struct Site {
  const char* file = "";
  int line = 0;
};
#define SIMT_HERE const char *file_ = __builtin_FILE(), int line_ = __builtin_LINE()
#define SIMT_SITE \
  ::simt::Site { file_, line_ }

/// Ends the running kernel with an explanation, as an illegal instruction ends it on a GPU.
[[noreturn]] void trap(const std::string& what);

class Runner;

enum class Collective : std::uint8_t {
  syncwarp,
  shuffle,
  shuffle_xor,
  shuffle_up,
  shuffle_down,
  vote,
  match,
  mma,
  load_matrix
};
enum class Barrier : std::uint8_t { plain, all, any, count };

/// One warp-wide operation that threads are arriving at.
struct Rendezvous {
  unsigned mask = 0, lanes = 0, arrived = 0, readers = 0;  ///< lanes: how many the mask names
  Collective kind = Collective::syncwarp;
  int parameter = 0;
  Site site;
  bool active = false, complete = false;
  alignas(16) unsigned char value[32][64];  ///< what each lane brought
};

/// A copy to shared memory that lands only when it is waited for.
struct PendingCopy {
  void* to;
  const void* from;
  unsigned bytes;  ///< read from `from`; the rest of the 16 is zero
};

struct Block {
  uint3 index{}, size{}, grid{};
  unsigned threads = 0, alive = 0, at_barrier = 0;
  Site barrier_site;
  Barrier barrier_kind = Barrier::plain;
  int barrier_sum = 0, barrier_result = 0;
  unsigned char* dynamic_shared = nullptr;
};

struct Thread {
  enum class State : std::uint8_t { ready, at_barrier, at_rendezvous, done };
  uint3 index{};
  unsigned linear = 0, lane = 0, warp = 0;
  State state = State::done;
  Block* block = nullptr;
  Runner* runner = nullptr;
  Site waits_at;
  Rendezvous* rendezvous = nullptr;
  std::vector<PendingCopy> copies;                    ///< issued, not committed
  std::vector<std::vector<PendingCopy>> copy_groups;  ///< committed, not waited for
  Context context;
};

/// The thread that runs on this host thread; null between kernels.
extern constinit thread_local Thread* current;

void block_barrier(Barrier kind, int predicate, Site site);
/// Waits until every lane of `mask` is here with the same operation; its values are then readable until leave().
Rendezvous& meet(unsigned mask, Collective kind, int parameter, const void* value, std::size_t bytes, Site site);
inline void leave(Rendezvous& meeting) {
  const Unwatched unwatched;
  if (++meeting.readers == meeting.lanes) meeting.active = false;
}
/// A block's static shared array: one storage a block and `key`.
void* static_shared(const void* key, std::size_t bytes);
/// Under the random schedule another thread may run here; atomics call it.
void maybe_yield();

}  // namespace simt
