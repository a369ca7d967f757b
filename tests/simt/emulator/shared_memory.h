#pragma once
#include <cstddef>
#include <vector>

namespace simt {

/// The shared memory of the block that runs: fresh and poisoned (NaN as float32 and bf16) for each block, every array
/// between guards that are checked when the block ends.
class SharedMemory {
 public:
  SharedMemory();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void begin_block();
  /// Traps beyond `limit` bytes in all. `key` names the array.
  unsigned char* array(const void* key, std::size_t bytes, std::size_t limit);
  /// True if nothing was written between the arrays.
  bool guards_intact() const;

  static constexpr std::size_t kStaticLimit = std::size_t{48} << 10U;

 private:
  struct Array {
    const void* key;
    std::size_t begin, bytes;
  };
  unsigned char* memory_;
  std::vector<Array> arrays_;
  std::size_t used_ = 0, sum_ = 0;
};

}  // namespace simt
