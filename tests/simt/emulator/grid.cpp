// Launches: their checks, and their blocks on one or several host threads.
#include <algorithm>
#include <atomic>
#include <numeric>
#include <random>
#include <thread>

#include "device.h"
#include "launch.h"
#include "options.h"
#include "runner.h"

namespace simt {

namespace {

void run_grid(const Launch& launch) {
  const std::uint64_t blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  std::vector<std::uint32_t> order(blocks);
  std::iota(order.begin(), order.end(), 0U);
  if (options().schedule == Schedule::reverse) std::reverse(order.begin(), order.end());
  if (options().schedule == Schedule::random) std::shuffle(order.begin(), order.end(), std::mt19937(options().seed));

  std::atomic<std::uint64_t> next{0};
  std::mutex fault_mutex;
  std::string fault;
  const auto work = [&] {
    for (std::uint64_t k = next.fetch_add(1); k < blocks; k = next.fetch_add(1)) {
      const std::uint32_t i = order[k];
      const uint3 index{i % launch.grid.x, i / launch.grid.x % launch.grid.y, i / (launch.grid.x * launch.grid.y)};
      const std::string wrong = Runner::of_this_thread().run(launch, index);
      if (wrong.empty()) continue;
      const std::lock_guard lock(fault_mutex);
      if (fault.empty()) fault = wrong;
      next = blocks;
    }
  };
  if (options().workers <= 1 || blocks == 1) {
    work();
  } else {
    std::vector<std::jthread> others;
    for (int i = 1; i < options().workers; ++i) others.emplace_back(work);
    work();
  }
  if (!fault.empty()) Device::get().fault(fault);
}

bool fits(const Launch& launch) {
  const std::uint64_t threads = std::uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  const auto in = [](unsigned value, unsigned limit) { return value >= 1 && value <= limit; };
  return threads >= 1 && threads <= 1024 && launch.block.z <= 64 && in(launch.grid.x, 0x7fffffffU) &&
         in(launch.grid.y, 65535) && in(launch.grid.z, 65535);
}

}  // namespace

cudaError_t allow_shared(const void* kernel, std::size_t bytes) {
  Device& device = Device::get();
  if (bytes > options().shared_limit) return device.report(cudaErrorInvalidValue);
  device.shared_allowances[kernel] = bytes;
  return cudaSuccess;
}

cudaError_t enqueue_kernel(const char* name, const void* kernel, dim3 grid, dim3 block, std::size_t shared_bytes,
                           cudaStream_t stream, std::function<void()> body) {
  Device& device = Device::get();
  Launch launch{name, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z}, shared_bytes, std::move(body)};
  if (!fits(launch)) return device.report(cudaErrorInvalidConfiguration);
  const auto allowed = device.shared_allowances.find(kernel);
  if (shared_bytes > SharedMemory::kStaticLimit &&
      (allowed == device.shared_allowances.end() || shared_bytes > allowed->second))
    return device.report(cudaErrorInvalidValue);
  ++device.launches;
  if (strikes(options().launches_left)) {
    const std::string what = std::string(name) + ": a fault that a test asked for";
    return device.enqueue(stream, [what] { Device::get().fault(what, cudaErrorIllegalAddress); });
  }
  return device.enqueue(stream, [launch = std::move(launch)] { run_grid(launch); });
}

}  // namespace simt
