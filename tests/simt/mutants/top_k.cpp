// A histogram and a warp's scan of it: atomics, and shared memory that a warp passes between its lanes.
#include "mutant.h"

namespace mutants {

namespace {

constexpr int kThreads = 128, kBins = 32;

/// out[b] = how many of x are below bin b + 1.
template <Bug bug>
__global__ void cumulated(int* out, const int* x, int n) {
  KVMEND_SHARED(int, histogram, [kBins]);
  KVMEND_SHARED(int, sums, [kBins]);
  const int t = static_cast<int>(threadIdx.x);
  if (t < kBins) histogram[t] = 0;
  __syncthreads();
  for (int i = t; i < n; i += kThreads) {
    if (bug == Bug::plain_increment)
      histogram[x[i]] += 1;
    else
      atomicAdd(&histogram[x[i]], 1);
  }
  __syncthreads();
  if (t < 32) {
    int sum = histogram[t];
    for (int offset = 1; offset < 32; offset *= 2) {
      const int below = __shfl_up_sync(0xffffffffU, sum, static_cast<unsigned>(offset));
      if (t >= offset) sum += below;
    }
    sums[t] = sum;
    if (bug != Bug::missing_syncwarp) __syncwarp();
    out[t] = sums[31 - t];
  }
}

template <Bug bug>
bool run() {
  const Stream stream;
  constexpr int n = 1000;
  std::vector<int> x(n);
  for (int i = 0; i < n; ++i) x[i] = i * i % 31;
  std::vector<int> expected(kBins);
  for (int b = 0; b < kBins; ++b)
    for (const int v : x) expected[31 - b] += v <= b;
  const Array<int> in(x, stream), out(kBins, stream);
  (void)KVMEND_LAUNCH(cumulated<bug>, 1, kThreads, 0, stream, out.get(), in.get(), n);
  return out.download() == expected;
}

}  // namespace

const std::vector<Mutant>& top_k_mutants() {
  static const std::vector<Mutant> all{
      {"histogram", run<Bug::none>},
      {"histogram: increment without an atomic", run<Bug::plain_increment>},
      {"histogram: missing syncwarp", run<Bug::missing_syncwarp>},
  };
  return all;
}

}  // namespace mutants
