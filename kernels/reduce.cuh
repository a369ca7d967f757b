#pragma once
// Reductions of rows: each to one number, or a range of them to one row.
#include "vectors.cuh"

namespace kvmend::gpu {

/// out[i] = Σ_c (a[i,c] − b[i,c])², without b Σ_c a². A warp a row.
/// Bytes: rows · columns · (sizeof A + sizeof B).
/// Model, not measured: 16384 rows of 1024 in bf16; 67 MB; floor 20 µs; expected 75 % of bandwidth.
template <class A, class B>
__global__ void __launch_bounds__(256)
    row_deviation(float* out, std::int64_t out_stride, const A* a, std::int64_t a_stride, const B* b,
                  std::int64_t b_stride, std::int64_t rows, int columns, bool quads) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
  float sum = 0;
  if (i < rows)
    for (int column = static_cast<int>(threadIdx.x % 32) * 4; column < columns; column += 128) {
      float4 v = load4_within(a + i * a_stride, column, columns, quads);
      if (b != nullptr) {
        const float4 w = load4_within(b + i * b_stride, column, columns, quads);
        v = make_float4(v.x - w.x, v.y - w.y, v.z - w.z, v.w - w.w);
      }
      sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
  sum = warp_sum(sum);
  if (i < rows && threadIdx.x % 32 == 0) out[i * out_stride] = sum;
}

inline constexpr int kColumnsOfMean = 64, kRowsOfMean = 16;

/// out[u] = the mean of fresh − old over rows [ranges[2u], ranges[2u + 1]), 0 where there is none. A block a range and 64
/// columns: sixteen threads a row, each sixteen add up every sixteenth.
/// Bytes: 2 · rows · columns · sizeof T. The 512 blocks of the problem below, four a multiprocessor, have four rows of both
/// sides under way in each thread: 64 KB in bf16, where the memory's speed times a microsecond is 25; between one four and the
/// next a thread has none.
/// Model, not measured: 16384 rows of 1024 in bf16 in 32 ranges; 67 MB; floor 20 µs; expected 75 % of bandwidth.
template <class T>
__global__ void __launch_bounds__(256)
    mean_change(float* out, std::int64_t out_stride, const T* fresh, std::int64_t fresh_stride, const T* old,
                std::int64_t old_stride, const std::int32_t* ranges, int columns, bool quads) {
  KVMEND_SHARED(float, part, [kRowsOfMean][kColumnsOfMean]);
  const int mine = static_cast<int>(threadIdx.x / 16), of_block = static_cast<int>(threadIdx.x % 16) * 4;
  const int first = static_cast<int>(blockIdx.y) * kColumnsOfMean, column = first + of_block;
  const std::int32_t begin = ranges[2 * blockIdx.x], end = ranges[2 * blockIdx.x + 1];
  float4 sum = make_float4(0, 0, 0, 0);
  constexpr int kAtOnce = 4;  // rows, all read before the first is added; past the end the last one again
  if (column < columns)
    for (std::int64_t row = begin + mine; row < end; row += kAtOnce * kRowsOfMean) {
      float4 u[kAtOnce], v[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const std::int64_t from = row + i * kRowsOfMean < end ? row + i * kRowsOfMean : end - 1;
        u[i] = load4_within(fresh + from * fresh_stride, column, columns, quads);
        v[i] = load4_within(old + from * old_stride, column, columns, quads);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i)
        if (row + i * kRowsOfMean < end)
          sum = make_float4(sum.x + (u[i].x - v[i].x), sum.y + (u[i].y - v[i].y), sum.z + (u[i].z - v[i].z),
                            sum.w + (u[i].w - v[i].w));
    }
  store4(part[mine] + of_block, sum);
  __syncthreads();
  const int written = first + static_cast<int>(threadIdx.x);
  if (threadIdx.x >= kColumnsOfMean || written >= columns) return;
  float total = 0;
#pragma unroll
  for (int r = 0; r < kRowsOfMean; ++r) total += part[r][threadIdx.x];
  out[blockIdx.x * out_stride + written] = total / static_cast<float>(end > begin ? end - begin : 1);
}

struct Largest {
  float value;
  int index;
};

__device__ inline Largest larger(Largest a, Largest b) {
  const bool second = b.value > a.value || (b.value == a.value && b.index < a.index);
  return second ? b : a;
}

/// The index of each row's largest element, the lowest on ties. A block a row.
/// Bytes: 4 · rows · columns.
/// Model, not measured: 16 rows of 128256; 8.2 MB; floor 3 µs; expected latency, 10 µs.
template <int threads>
__global__ void __launch_bounds__(threads)
    argmax(std::int32_t* out, std::int64_t out_stride, const float* x, std::int64_t x_stride, int columns) {
  KVMEND_SHARED(float, values, [threads / 32]);
  KVMEND_SHARED(int, indices, [threads / 32]);
  const float* row = x + blockIdx.x * x_stride;
  Largest best{row[0], 0};
  for (int i = static_cast<int>(threadIdx.x); i < columns; i += threads)
    if (row[i] > best.value || (row[i] == best.value && i < best.index)) best = {row[i], i};
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    best =
        larger(best, {__shfl_xor_sync(kAllLanes, best.value, offset), __shfl_xor_sync(kAllLanes, best.index, offset)});
  if (threadIdx.x % 32 == 0) {
    values[threadIdx.x / 32] = best.value;
    indices[threadIdx.x / 32] = best.index;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 0; i < threads / 32; ++i) best = larger(best, {values[i], indices[i]});
  out[blockIdx.x * out_stride] = best.index;
}

}  // namespace kvmend::gpu
