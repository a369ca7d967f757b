// The machine's peak as the kernels see it: what `kvmend bench` divides by.
#include <algorithm>
#include <chrono>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/scratch.h"

namespace kvmend {

namespace {

double seconds_of(const auto& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Peak CpuBackend::measure_peak() {
  constexpr int runs = 7;                                 // the best counts: whatever else runs here only takes away
  constexpr std::int64_t rounds = 1 << 22;                // tens of milliseconds: waking a thread is nothing beside it
  constexpr std::int64_t most = std::int64_t{256} << 20;  // floats: a gibibyte
  const std::int64_t threads = workers_.size();
  const std::int64_t share =
      std::min(std::int64_t{32} << 20, most / threads) / 64 * 64;  // of a thread: past its caches
  std::vector<float> sinks(static_cast<std::size_t>(threads));
  Peak peak;
  for (int run = 0; run < runs; ++run) {
    std::vector<double> flops(static_cast<std::size_t>(threads));
    const double seconds = seconds_of([&] {
      workers_.parallel_for(threads, 1, [&](std::int64_t piece, std::int64_t, int) {
        const auto p = static_cast<std::size_t>(piece);
        flops[p] = kernels_.peak_products(rounds, compute_dtype_ == DType::bf16, &sinks[p]);
      });
    });
    double all = 0;
    for (const double f : flops) all += f;
    peak.flops = std::max(peak.flops, all / seconds);
  }
  Scratch memory;
  float* floats = memory.floats(threads * share);
  for (int run = -1; run < runs; ++run) {  // run −1 touches the pages
    const double seconds = seconds_of([&] {
      workers_.parallel_for(threads, 1, [&](std::int64_t piece, std::int64_t, int) {
        float* mine = floats + piece * share;
        if (run < 0)
          std::fill_n(mine, share, 1.0F);
        else
          sinks[static_cast<std::size_t>(piece)] = kernels_.sum_memory(mine, share);
      });
    });
    if (run >= 0) peak.bytes = std::max(peak.bytes, static_cast<double>(threads * share) * sizeof(float) / seconds);
  }
  return peak;
}

}  // namespace kvmend
