// Weighted sums over tiles in shared memory: barriers between tiles, a last tile that is not full.
#include "mutant.h"

namespace mutants {

namespace {

constexpr int kTile = 32, kThreads = 64;

/// out[t] = Σ_j x[j] · (1 + (t + j) mod 3), tile by tile.
template <Bug bug>
__global__ void tiled_sum(float* out, const float* x, int n) {
  KVMEND_SHARED(float, tile, [kTile]);
  KVMEND_SHARED(float, other, [kTile]);
  const int t = static_cast<int>(threadIdx.x);
  float sum = 0;
  const int end = bug == Bug::off_by_one_tile ? n / kTile * kTile : n;
  for (int begin = 0; begin < end; begin += kTile) {
    if (bug != Bug::missing_tile_barrier) __syncthreads();
    const int count = bug == Bug::shared_past_end ? kTile + 1 : kTile;
    for (int i = t; i < count; i += kThreads) tile[i] = begin + i < n ? x[begin + i] : 0.0F;
    if (t < kTile) other[t] = static_cast<float>(t);
    __syncthreads();
    if (bug == Bug::exit_in_loop && t >= 60) return;
    for (int i = 0; i < kTile; ++i) sum += tile[i] * static_cast<float>(1 + (t + begin + i) % 3) + 0 * other[i];
  }
  out[t] = sum;
}

template <Bug bug>
bool run() {
  const Stream stream;
  constexpr int n = 150;
  const std::vector<float> x = random_values(n, 2);
  std::vector<float> expected(kThreads);
  for (int t = 0; t < kThreads; ++t)
    for (int j = 0; j < n; ++j) expected[t] += x[j] * static_cast<float>(1 + (t + j) % 3);
  const Array<float> in(x, stream), out(kThreads, stream);
  (void)KVMEND_LAUNCH(tiled_sum<bug>, 1, kThreads, 0, stream, out.get(), in.get(), n);
  return close(out.download(), expected, 1e-4F);
}

}  // namespace

const std::vector<Mutant>& attention_mutants() {
  static const std::vector<Mutant> all{
      {"tiles", run<Bug::none>},
      {"tiles: missing barrier between tiles", run<Bug::missing_tile_barrier>},
      {"tiles: shared memory past the end", run<Bug::shared_past_end>},
      {"tiles: exit before a barrier", run<Bug::exit_in_loop>},
      {"tiles: off by one tile", run<Bug::off_by_one_tile>},
  };
  return all;
}

}  // namespace mutants
