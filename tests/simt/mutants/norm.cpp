// A norm of rows: block-wide sums, vector loads.
#include "mutant.h"

namespace mutants {

namespace {

constexpr int kThreads = 128;

__device__ float warp_sum(float v) {
  for (int offset = 16; offset > 0; offset /= 2) v += __shfl_xor_sync(0xffffffffU, v, offset);
  return v;
}

template <Bug bug>
__device__ float block_sum(float v) {
  KVMEND_SHARED(float, part, [kThreads / 32]);
  if (bug != Bug::wrong_mask || threadIdx.x % 32 < 16) v = warp_sum(v);  // half a warp, a whole warp's mask
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  if (bug != Bug::missing_barrier) __syncthreads();
  float sum = 0;
  for (int i = 0; i < kThreads / 32; ++i) sum += part[i];
  __syncthreads();
  return sum;
}

template <Bug bug>
__global__ void norm(float* out, const float* x, const float* seed, int columns) {
  const float* row = x + static_cast<std::size_t>(blockIdx.x) *
                             static_cast<std::size_t>(bug == Bug::wrong_stride ? columns - 4 : columns);
  const auto* quads = reinterpret_cast<const float4*>(bug == Bug::misaligned_load ? row + 1 : row);
  const int n = columns / 4, first = static_cast<int>(threadIdx.x);
  if (bug == Bug::early_exit && first >= n) return;
  float sum = 0;
  for (int i = first; i < n - (bug == Bug::misaligned_load ? 1 : 0); i += kThreads) {
    const float4 v = quads[i];
    sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  if (bug == Bug::misaligned_load && first == 0)
    sum += row[0] * row[0] + row[columns - 3] * row[columns - 3] + row[columns - 2] * row[columns - 2] +
           row[columns - 1] * row[columns - 1];
  const float scale = rsqrtf(block_sum<bug>(sum)) + *seed;
  float* to = out + static_cast<std::size_t>(blockIdx.x) * static_cast<std::size_t>(columns);
  const int extra = bug == Bug::global_write_past_end && blockIdx.x + 1 == gridDim.x ? 1 : 0;
  const int shift = bug == Bug::global_read_past_end ? 1 : 0;
  for (int i = first; i < columns + extra; i += kThreads) to[i] = row[i + (i == columns - 1 ? shift : 0)] * scale;
}

template <Bug bug>
bool run() {
  const Stream stream;
  constexpr int rows = 5, columns = 200;
  const std::vector<float> x = random_values(rows * columns, 1);
  std::vector<float> expected;
  for (int r = 0; r < rows; ++r) {
    double sum = 0;
    for (int c = 0; c < columns; ++c)
      sum += static_cast<double>(x[r * columns + c]) * static_cast<double>(x[r * columns + c]);
    for (int c = 0; c < columns; ++c) expected.push_back(x[r * columns + c] / static_cast<float>(std::sqrt(sum)));
  }
  const Array<float> in(x, stream), out(x.size(), stream), seed(1, stream);
  if (bug != Bug::uninitialised_read) cudaMemsetAsync(seed.get(), 0, sizeof(float), stream);
  (void)KVMEND_LAUNCH(norm<bug>, rows, kThreads, 0, stream, out.get(), in.get(), seed.get(), columns);
  return close(out.download(), expected, 1e-5F);
}

}  // namespace

const std::vector<Mutant>& norm_mutants() {
  static const std::vector<Mutant> all{
      {"norm", run<Bug::none>},
      {"norm: missing barrier", run<Bug::missing_barrier>},
      {"norm: wrong mask", run<Bug::wrong_mask>},
      {"norm: early exit before a barrier", run<Bug::early_exit>},
      {"norm: write past the end", run<Bug::global_write_past_end>},
      {"norm: read past the end", run<Bug::global_read_past_end>},
      {"norm: wrong stride", run<Bug::wrong_stride>},
      {"norm: misaligned vector load", run<Bug::misaligned_load>},
      {"norm: uninitialised read", run<Bug::uninitialised_read>},
  };
  return all;
}

}  // namespace mutants
