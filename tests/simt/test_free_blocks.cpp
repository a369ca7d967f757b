// The backend's list of freed blocks, and that the emulator still sees who touches what is in it.
#include "backend/cuda/free_blocks.h"
#include "catch.h"
#include "device.h"
#include "mutants/mutant.h"
#include "sanitizers.h"

using kvmend::cuda::FreeBlocks;
using simt::Device;

namespace {

void* allocated(std::size_t bytes, cudaStream_t stream) {
  void* address = nullptr;
  REQUIRE(cudaMallocAsync(&address, bytes, stream) == cudaSuccess);
  return address;
}

struct Quiet {
  Quiet() { Device::get().quiet = true; }
  ~Quiet() {
    Device::get().reset();
    Device::get().quiet = false;
  }
};

}  // namespace

TEST_CASE("a freed block is the next one of its size, and the one freed last comes first") {
  const mutants::Stream stream;
  FreeBlocks kept(stream, 1 << 20);
  void *a = allocated(1000, stream), *b = allocated(1000, stream), *other = allocated(999, stream);
  CHECK(kept.take(1000) == nullptr);
  kept.put(a, 1000);
  kept.put(other, 999);
  kept.put(b, 1000);
  CHECK(kept.bytes() == 2999);
  CHECK(kept.take(998) == nullptr);
  CHECK(kept.take(1000) == b);
  CHECK(kept.take(1000) == a);
  CHECK(kept.take(1000) == nullptr);
  CHECK(kept.bytes() == 999);
  kept.put(a, 1000);
  kept.put(b, 1000);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
}

TEST_CASE("beyond the limit blocks go back, those freed longest ago first") {
  const mutants::Stream stream;
  const std::size_t before = Device::get().memory.used();
  const auto used = [&] {
    CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
    return Device::get().memory.used() - before;
  };
  {
    FreeBlocks kept(stream, 2500);
    kept.put(allocated(1000, stream), 1000);
    kept.put(allocated(1200, stream), 1200);
    CHECK(used() == 2200);
    kept.put(allocated(1000, stream), 1000);
    CHECK(used() == 2200);
    kept.put(allocated(2501, stream), 2501);  // more than all there may be: the others stay
    CHECK(used() == 2200);
    void* again = kept.take(1200);
    CHECK(again != nullptr);
    kept.put(again, 1200);
    kept.clear();
    CHECK(kept.bytes() == 0);
    CHECK(used() == 0);
    kept.put(allocated(64, stream), 64);
    CHECK(used() == 64);
  }
  CHECK(used() == 0);
}

TEST_CASE("a kept block counts as freed on the emulated card") {
  const Quiet quiet;
  const mutants::Stream stream;
  FreeBlocks kept(stream, 1 << 20);
  auto* block = static_cast<float*>(allocated(64, stream));
  REQUIRE(cudaMemsetAsync(block, 0, 64, stream) == cudaSuccess);
  kept.put(block, 64);
  REQUIRE(kept.take(64) == block);
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(std::isnan(*block));  // as new memory is
  kept.put(block, 64);
  REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);

  SECTION("a copy to it is a fault") {
    CHECK(cudaMemsetAsync(block, 0, 64, stream) == cudaSuccess);
    CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
  }
#if !SIMT_ASAN  // which stops the program
  SECTION("what a kernel wrote to it is seen when it is taken again") {
    block[3] = 1;
    CHECK(kept.take(64) == block);
    CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
    CHECK(Device::get().fault_text() == "wrote to memory that was freed");
  }
  SECTION("or when it goes back") {
    block[3] = 1;
    kept.clear();
    CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
  }
#endif
}
