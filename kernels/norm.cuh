#pragma once
// RMSNorm and LayerNorm.
#include "vectors.cuh"

namespace kvmend::gpu {

struct NormArgs {
  float* out;
  std::int64_t out_stride;
  const float* x;
  std::int64_t x_stride;
  const float* weight;
  const float* bias;  ///< or null
  float eps;
  int size;    ///< columns that are normalised together
  int groups;  ///< such parts of a row
  bool quads;  ///< rows and parts are aligned to 16 bytes
};

/// out = x / rms(x) · weight, a block each part of a row; the row is read twice, the second time from L1.
/// Bytes: 8 · rows · columns.
/// Model, not measured: 4096 rows of 4096; 134 MB; floor 40 µs; expected 75 % of bandwidth.
template <int threads>
__global__ void __launch_bounds__(threads) rms_norm(NormArgs a) {
  const std::int64_t row = blockIdx.x / static_cast<unsigned>(a.groups);
  const int part = static_cast<int>(blockIdx.x % static_cast<unsigned>(a.groups)) * a.size;
  const float* x = a.x + row * a.x_stride + part;
  float* out = a.out + row * a.out_stride + part;
  const int first = static_cast<int>(threadIdx.x) * 4;
  float sum = 0;
  for (int i = first; i < a.size; i += 4 * threads) {
    const float4 v = load4_within(x, i, a.size, a.quads);
    sum += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  const float inverse = 1 / sqrtf(block_sum<threads>(sum) / static_cast<float>(a.size) + a.eps);
  for (int i = first; i < a.size; i += 4 * threads) {
    const float4 v = load4_within(x, i, a.size, a.quads), w = load4_within(a.weight, i, a.size, a.quads);
    store4_within(out, i, a.size, a.quads,
                  make_float4(v.x * inverse * w.x, v.y * inverse * w.y, v.z * inverse * w.z, v.w * inverse * w.w));
  }
}

/// out = (x − mean) / √(variance + eps) · weight + bias, a block a row, mean and variance in two passes over L1.
/// Bytes: 8 · rows · columns.
/// Model, not measured: 4096 rows of 4096; 134 MB; floor 40 µs; expected 75 % of bandwidth.
template <int threads>
__global__ void __launch_bounds__(threads) layer_norm(NormArgs a) {
  const float* x = a.x + blockIdx.x * a.x_stride;
  float* out = a.out + blockIdx.x * a.out_stride;
  const int first = static_cast<int>(threadIdx.x) * 4;
  float sum = 0;
  for (int i = first; i < a.size; i += 4 * threads) {
    const float4 v = load4_within(x, i, a.size, a.quads);
    sum += v.x + v.y + v.z + v.w;
  }
  const float mean = block_sum<threads>(sum) / static_cast<float>(a.size);
  float squares = 0;
  for (int i = first; i < a.size; i += 4 * threads) {
    const float4 v = load4_within(x, i, a.size, a.quads);
    const float rest[4] = {v.x - mean, v.y - mean, v.z - mean, v.w - mean};
#pragma unroll
    for (int e = 0; e < 4; ++e)
      if (i + e < a.size) squares += rest[e] * rest[e];
  }
  const float inverse = 1 / sqrtf(block_sum<threads>(squares) / static_cast<float>(a.size) + a.eps);
  for (int i = first; i < a.size; i += 4 * threads) {
    const float4 v = load4_within(x, i, a.size, a.quads), w = load4_within(a.weight, i, a.size, a.quads);
    const float4 b = a.bias == nullptr ? make_float4(0, 0, 0, 0) : load4_within(a.bias, i, a.size, a.quads);
    store4_within(out, i, a.size, a.quads,
                  make_float4((v.x - mean) * inverse * w.x + b.x, (v.y - mean) * inverse * w.y + b.y,
                              (v.z - mean) * inverse * w.z + b.z, (v.w - mean) * inverse * w.w + b.w));
  }
}

}  // namespace kvmend::gpu
