#pragma once
// The emulated device: its memory, its streams, and whether it still works.
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace simt {

/// Device and pinned host memory: poisoned when allocated and when freed, between guards.
class Memory {
 public:
  enum class Kind : std::uint8_t { device, pinned };
  Memory() = default;
  ~Memory();  ///< as a process's end does: all of it goes
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  /// Null when the device is full.
  void* allocate(std::size_t bytes, Kind kind);
  /// Looks at its guards. False if `address` is no allocation.
  bool release(void* address);
  /// As if it were released, but it stays where it is (kept_memory.h). False if `address` is none in use.
  bool retire(void* address);
  /// In use again. False if `address` is no retired allocation.
  bool revive(void* address);
  /// True if [address, address + bytes) lies in one allocation of that kind.
  bool covers(const void* address, std::size_t bytes, Kind kind) const;
  /// What was written where nothing is allocated since the last look, or nothing.
  std::string damage();
  std::size_t used() const { return used_; }
  std::size_t most_used() const { return most_used_; }       ///< at once, without what was retired
  std::int64_t allocations() const { return allocations_; }  ///< of the device's memory, so far

 private:
  struct Allocation {
    std::size_t bytes;
    Kind kind;
    bool retired = false;
  };
  std::map<std::uintptr_t, Allocation> live_;
  /// Freed memory is kept for a while: writes to it are seen.
  std::deque<std::pair<unsigned char*, std::size_t>> freed_;
  static std::string damage_of(const unsigned char* data, std::size_t bytes);
  std::size_t used_ = 0, retired_ = 0, most_used_ = 0, kept_ = 0, freed_since_look_ = 0;
  std::int64_t allocations_ = 0;
  int refusals_ = 0;
  std::string seen_at_release_;
};

struct Stream {
  std::deque<std::function<void()>> operations;
};

/// A point in a stream.
struct Mark {
  Stream* stream = nullptr;
  bool reached = false;
};

/// One process has one. Operations are queued and run only when something waits for them: whoever forgets to wait
/// reads what was there before.
class Device {
 public:
  static Device& get();
  ~Device();

  Memory memory;

  cudaError_t enqueue(cudaStream_t stream, std::function<void()> operation);
  void run_until(const std::shared_ptr<Mark>& mark);
  cudaError_t synchronise(Stream& stream);
  cudaError_t synchronise_all();
  Stream* new_stream();
  bool remove_stream(Stream* stream);
  /// Null for the default stream or one that does not exist: our rule is that every operation names a stream.
  Stream* find(cudaStream_t stream);

  /// From then on every call fails, as after an illegal access on a GPU. The first one counts; it is printed.
  void fault(const std::string& what, cudaError_t error = cudaErrorLaunchFailure);
  const std::string& fault_text() const { return fault_text_; }
  cudaError_t sticky() const { return sticky_; }
  /// Remembers a call's error for cudaGetLastError.
  cudaError_t report(cudaError_t error);
  cudaError_t take_last();
  /// As a new process would find the device.
  void reset();

  std::map<const void*, std::size_t> shared_allowances;
  std::int64_t launches = 0;  ///< of kernels, so far
  std::int64_t waits = 0;     ///< of the host for a whole stream
  bool quiet = false;         ///< faults are not printed (tests that provoke them)

 private:
  void run_one(Stream& stream);
  void look_for_damage();
  std::set<std::unique_ptr<Stream>> streams_;
  cudaError_t sticky_ = cudaSuccess, last_ = cudaSuccess;
  std::string fault_text_;
};

}  // namespace simt
