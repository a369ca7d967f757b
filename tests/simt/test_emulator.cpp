// The emulator itself: index arithmetic, collectives, barriers, memory, streams, injected failures.
#include "catch.h"
#include "device.h"
#include "mutants/mutant.h"
#include "options.h"

using namespace mutants;
using simt::Device;
using simt::Schedule;

namespace {

/// Restores the options and the device after a test that broke it.
struct Fresh {
  simt::Options before = simt::options();
  Fresh() { Device::get().quiet = true; }
  ~Fresh() {
    simt::options() = before;
    Device::get().reset();
    Device::get().quiet = false;
  }
};

const Schedule kSchedules[] = {Schedule::forward, Schedule::reverse, Schedule::random};

__global__ void write_indices(int* out) {
  const unsigned in_block = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned size = blockDim.x * blockDim.y * blockDim.z;
  out[block * size + in_block] = static_cast<int>(block * 1000 + in_block);
}

__global__ void collectives(int* out) {
  const int lane = static_cast<int>(threadIdx.x % 32), t = static_cast<int>(threadIdx.x);
  int* mine = out + 10 * t;
  mine[0] = __shfl_sync(0xffffffffU, t, 5);
  mine[1] = __shfl_sync(0xffffffffU, t, 3, 8);
  mine[2] = __shfl_xor_sync(0xffffffffU, t, 16);
  mine[3] = __shfl_down_sync(0xffffffffU, t, 3U);
  mine[4] = __shfl_up_sync(0xffffffffU, t, 3U);
  mine[5] = static_cast<int>(__ballot_sync(0xffffffffU, lane % 3 == 0));
  mine[6] = __any_sync(0xffffffffU, lane == 7) + 2 * __all_sync(0xffffffffU, lane != 7);
  mine[7] = __syncthreads_count(t % 5 == 0);
  mine[8] = __syncthreads_or(t == 63) + 2 * __syncthreads_and(t != 63);
  if (lane < 4)
    mine[9] = __shfl_xor_sync(0xfU, t, 1);
  else
    mine[9] = __shfl_xor_sync(0xfffffff0U, t, 2);
}

__global__ void nothing(int*) {}

__global__ void transposes(std::uint32_t* out, int transposed) {
  KVMEND_SHARED(std::uint16_t, tile, [32][8]);
  const unsigned lane = threadIdx.x;
  for (unsigned c = 0; c < 8; ++c) tile[lane][c] = static_cast<std::uint16_t>(100 * lane + c);
  __syncwarp();
  std::uint32_t registers[4];
  if (transposed != 0)
    prim::load_matrices_transposed(registers, tile[lane]);
  else
    prim::load_matrices(registers, tile[lane]);
  for (int m = 0; m < 4; ++m) out[4 * lane + static_cast<unsigned>(m)] = registers[m];
}

}  // namespace

TEST_CASE("each thread knows where it is") {
  const Fresh fresh;
  for (const Schedule schedule : kSchedules)
    for (const int workers : {1, 2}) {
      simt::options().schedule = schedule;
      simt::options().workers = workers;
      const Stream stream;
      const Array<int> out(24 * 30, stream);
      REQUIRE(KVMEND_LAUNCH(write_indices, dim3(2, 3, 4), dim3(5, 3, 2), 0, stream, out.get()) == cudaSuccess);
      const std::vector<int> got = out.download();
      for (int i = 0; i < 24 * 30; ++i) REQUIRE(got[i] == i / 30 * 1000 + i % 30);
    }
}

TEST_CASE("collectives exchange what CUDA's do") {
  const Fresh fresh;
  for (const Schedule schedule : kSchedules) {
    simt::options().schedule = schedule;
    const Stream stream;
    const Array<int> out(640, stream);
    REQUIRE(KVMEND_LAUNCH(collectives, 1, 64, 0, stream, out.get()) == cudaSuccess);
    const std::vector<int> got = out.download();
    for (int t = 0; t < 64; ++t) {
      const int lane = t % 32, warp = t - lane;
      const std::vector<int> mine(got.begin() + 10 * t, got.begin() + 10 * t + 10);
      CHECK(mine == std::vector<int>{warp + 5, t / 8 * 8 + 3, t ^ 16, lane + 3 < 32 ? t + 3 : t, lane >= 3 ? t - 3 : t,
                                     0x49249249, 1, 13, 1, lane < 4 ? t ^ 1 : t ^ 2});
    }
  }
}

TEST_CASE("ldmatrix gives each lane the elements of the documented layout") {
  const Fresh fresh;
  for (const int transposed : {0, 1}) {
    const Stream stream;
    const Array<std::uint32_t> out(128, stream);
    REQUIRE(KVMEND_LAUNCH(transposes, 1, 32, 0, stream, out.get(), transposed) == cudaSuccess);
    const std::vector<std::uint32_t> got = out.download();
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned m = 0; m < 4; ++m) {
        const unsigned g = lane / 4, t = lane % 4;
        const auto element = [&](unsigned row, unsigned column) { return 100 * (8 * m + row) + column; };
        const unsigned low = transposed ? element(2 * t, g) : element(g, 2 * t);
        const unsigned high = transposed ? element(2 * t + 1, g) : element(g, 2 * t + 1);
        CHECK(got[4 * lane + m] == (low | high << 16U));
      }
  }
}

TEST_CASE("a launch that no device could run is refused") {
  const Fresh fresh;
  const Stream stream;
  CHECK(KVMEND_LAUNCH(nothing, 1, 1025, 0, stream, nullptr) == cudaErrorInvalidConfiguration);
  CHECK(KVMEND_LAUNCH(nothing, 0, 32, 0, stream, nullptr) == cudaErrorInvalidConfiguration);
  CHECK(KVMEND_LAUNCH(nothing, dim3(1, 70000), 32, 0, stream, nullptr) == cudaErrorInvalidConfiguration);
  CHECK(KVMEND_LAUNCH(nothing, 1, 32, 60000, stream, nullptr) == cudaErrorInvalidValue);
  CHECK(KVMEND_ALLOW_SHARED(nothing, 60000) == cudaSuccess);
  CHECK(KVMEND_LAUNCH(nothing, 1, 32, 60000, stream, nullptr) == cudaSuccess);
  CHECK(KVMEND_ALLOW_SHARED(nothing, 300000) == cudaErrorInvalidValue);
}

TEST_CASE("memory is bounded, poisoned and given back") {
  const Fresh fresh;
  const std::size_t before = Device::get().memory.used();
  simt::options().memory = before + (std::size_t{1} << 20U);
  const Stream stream;
  void *first = nullptr, *second = nullptr;
  REQUIRE(cudaMallocAsync(&first, 700000, stream) == cudaSuccess);
  CHECK(cudaMallocAsync(&second, 700000, stream) == cudaErrorMemoryAllocation);
  CHECK(cudaFreeAsync(first, stream) == cudaSuccess);
  CHECK(cudaMallocAsync(&second, 700000, stream) == cudaErrorMemoryAllocation);  // the stream has not got there yet
  cudaStreamSynchronize(stream);
  CHECK(cudaMallocAsync(&second, 700000, stream) == cudaSuccess);
  CHECK(std::isnan(*static_cast<float*>(second)));
  cudaFreeAsync(second, stream);
  cudaStreamSynchronize(stream);
  CHECK(Device::get().memory.used() == before);
}

TEST_CASE("failures that a test asks for happen once, and a fault stays") {
  const Fresh fresh;
  const Stream stream;
  void* memory = nullptr;
  simt::options().allocations_left = 1;
  CHECK(cudaMallocAsync(&memory, 64, stream) == cudaSuccess);
  cudaFreeAsync(memory, stream);
  CHECK(cudaMallocAsync(&memory, 64, stream) == cudaErrorMemoryAllocation);
  CHECK(cudaMallocAsync(&memory, 64, stream) == cudaSuccess);
  cudaFreeAsync(memory, stream);

  simt::options().launches_left = 1;
  const Array<int> out(24, stream);
  CHECK(KVMEND_LAUNCH(nothing, 1, 32, 0, stream, out.get()) == cudaSuccess);
  CHECK(KVMEND_LAUNCH(nothing, 1, 32, 0, stream, out.get()) == cudaSuccess);  // it is found when it runs
  CHECK(cudaStreamSynchronize(stream) == cudaErrorIllegalAddress);
  CHECK(KVMEND_LAUNCH(nothing, 1, 32, 0, stream, out.get()) == cudaErrorIllegalAddress);
  CHECK(cudaMallocAsync(&memory, 64, stream) == cudaErrorIllegalAddress);
}

TEST_CASE("a machine without a driver says so") {
  const Fresh fresh;
  int count = 0, version = -1;
  simt::options().no_driver = true;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorNoDevice);
  CHECK(cudaDriverGetVersion(&version) == cudaSuccess);
  CHECK(version == 0);
  simt::options().no_driver = false;
  simt::options().old_driver = true;
  CHECK(cudaGetDeviceCount(&count) == cudaErrorInsufficientDriver);
}
