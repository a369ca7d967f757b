#pragma once
// Mixing two results: attention over two sets of keys, recomputed rows with cached ones.
#include "vectors.cuh"

namespace kvmend::gpu {

struct JoinArgs {
  float* out;
  std::int64_t out_stride;
  const float *a, *lse_a, *b, *lse_b;
  std::int64_t a_stride, lse_a_stride, b_stride, lse_b_stride;
  std::int64_t rows;
  int heads, head_dim;
  float scale;  ///< on lse_a
  bool quads;   ///< heads are aligned to 16 bytes
};

/// out = w·a + (1 − w)·b with (w, 1 − w) = softmax(scale · lse_a, lse_b), a warp each row and head. A side without keys
/// (−inf) has no weight; without keys on both sides the sum is 0. out may be a or b.
/// Bytes: 12 · rows · columns.
/// Model, not measured: 4096 rows of 4096; 201 MB; floor 60 µs; expected 75 % of bandwidth.
template <int = 0>  // a template, so that several units may include it
__global__ void __launch_bounds__(256) join_attention(JoinArgs args) {
  const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
  if (item >= args.rows * args.heads) return;
  const std::int64_t row = item / args.heads;
  const int head = static_cast<int>(item % args.heads);
  const float lse_a = args.lse_a[row * args.lse_a_stride + head], y = args.lse_b[row * args.lse_b_stride + head];
  const float x = lse_a == -INFINITY ? -INFINITY : args.scale * lse_a, top = fmaxf(x, y);
  const float of_a = top == -INFINITY ? 0.0F : expf(x - top), of_b = top == -INFINITY ? 0.0F : expf(y - top);
  const float sum = of_a + of_b == 0 ? 1.0F : of_a + of_b;
  const std::int64_t first = static_cast<std::int64_t>(head) * args.head_dim;
  const float *a = args.a + row * args.a_stride + first, *b = args.b + row * args.b_stride + first;
  float* out = args.out + row * args.out_stride + first;
  for (int column = static_cast<int>(threadIdx.x % 32) * 4; column < args.head_dim; column += 128) {
    const float4 u = load4_within(a, column, args.head_dim, args.quads);
    const float4 v = load4_within(b, column, args.head_dim, args.quads);
    store4_within(out, column, args.head_dim, args.quads,
                  make_float4((of_a * u.x + of_b * v.x) / sum, (of_a * u.y + of_b * v.y) / sum,
                              (of_a * u.z + of_b * v.z) / sum, (of_a * u.w + of_b * v.w) / sum));
  }
}

/// to[r] = θ · to[r] + (1 − θ) · old[r] with θ = max(0, cos(to[r], old[r])), 0 where one of them is zero. A warp a row, which
/// is read twice, the second time from L1.
/// Bytes: 3 · rows · columns · sizeof T.
/// Model, not measured: 16384 rows of 1024 in bf16; 101 MB; floor 30 µs; expected 75 % of bandwidth.
template <class T>
__global__ void __launch_bounds__(256) blend_rows(T* to, std::int64_t to_stride, const T* old, std::int64_t old_stride,
                                                  std::int64_t rows, int columns, bool quads) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * 8 + threadIdx.x / 32;
  if (i >= rows) return;  // whole warps
  T* fresh = to + i * to_stride;
  const T* cached = old + i * old_stride;
  const int first = static_cast<int>(threadIdx.x % 32) * 4;
  float dot = 0, fresh_square = 0, cached_square = 0;
  for (int column = first; column < columns; column += 128) {
    const float4 u = load4_within(fresh, column, columns, quads), v = load4_within(cached, column, columns, quads);
    dot += u.x * v.x + u.y * v.y + u.z * v.z + u.w * v.w;
    fresh_square += u.x * u.x + u.y * u.y + u.z * u.z + u.w * u.w;
    cached_square += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  const float norms = sqrtf(warp_sum(fresh_square)) * sqrtf(warp_sum(cached_square));
  dot = warp_sum(dot);
  const float theta = norms > 0 ? fmaxf(0.0F, dot / norms) : 0.0F, rest = 1 - theta;
  for (int column = first; column < columns; column += 128) {
    const float4 u = load4_within(fresh, column, columns, quads), v = load4_within(cached, column, columns, quads);
    store4_within(fresh, column, columns, quads,
                  make_float4(theta * u.x + rest * v.x, theta * u.y + rest * v.y, theta * u.z + rest * v.z,
                              theta * u.w + rest * v.w));
  }
}

}  // namespace kvmend::gpu
