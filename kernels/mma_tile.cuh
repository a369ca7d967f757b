#pragma once
// The tiles of attention on tensor cores: what lies in shared memory, queries on their way there, products with keys.
//
// A "strip" is sixteen query vectors, the left operand of one mma (m16n8k16: 4096 FLOPs). A fragment of keys or values that a
// warp loads from shared memory feeds as many mma as the warp has strips, and a tile from L2 as many vectors as the block has.
//
// Model, not measured. For each mma, shared memory moves 256 bytes of keys or values a strip, 64 of queries for every second
// mma (those of values have their left operand in registers), and what cp.async writes; it has 128 bytes a clock. L2 has
// vectors-of-a-block FLOPs a byte, and gives about 5.5 TB/s on an H100, 4.5 on an A100. mma.sync reaches about 62 % of the
// H100's peak, which is that of wgmma (arXiv 2402.13499), and all of the A100's. In shares of the peak (990 and 312 TFLOP/s):
//
//   warps · vectors                bytes an mma    H100: shared, L2, mma     A100: shared, L2, mma
//   narrow, 4 · 16                 256 + 32 + 64   36 %    36 %    62 %      73 %    92 %   100 %
//   wide, 4 · 32                   128 + 32 + 32   67 %    71 %    62 %     133 %   185 %   100 %
//   wide, heads of 256, 8 · 16     256 + 32 + 32   40 %    71 %    62 %      80 %   185 %   100 %
#include "attention.cuh"

namespace kvmend::gpu {

/// Shared memory of attention_mma. Rows are eight elements longer than they must be, so that the eight rows an ldmatrix reads
/// lie in different banks.
///
/// Narrow: few vectors, bound by memory; two stages of keys and values where 99 KB hold them, so that the next tile is always
/// under way. Every card has these 99 KB (8.6, 8.9 and 12.0 no more).
/// Wide: many vectors, bound by arithmetic. One stage is enough, for keys come while probabilities meet values and values while
/// queries meet keys (mma_keys.cuh), and lets two blocks share an A100's 164 KB. 32 vectors a warp are 128 registers of results
/// at heads of 128; heads of 256 have room for 16 only, and eight warps share their keys instead.
template <int width, bool wide>
struct MmaTile {
  static constexpr int kWidth = width, kStride = width + 8;
  static constexpr int kStrips = wide && width <= 128 ? 2 : 1, kWarps = wide && width > 128 ? 8 : 4;
  static constexpr int kVectors = 16 * kStrips * kWarps, kThreads = 32 * kWarps;
  static constexpr int kKeys = width > 128 && !wide ? 32 : 64;
  static constexpr int kStages = wide || width > 128 ? 1 : 2;
  static constexpr int kBlocks = kWarps == 8 ? 1 : 2;  ///< of a multiprocessor: registers allow no more
  std::uint16_t q[kVectors][kStride];
  std::uint16_t k[kStages][kKeys][kStride];
  std::uint16_t v[kStages][kKeys][kStride];
  Interval sees[kVectors];  ///< of the block's part of the keys
  Interval seen_by_all;     ///< likewise; here and not in registers, of which the wide tile has none to spare
  std::int32_t slots[2][kKeys];
};

__device__ inline std::uint16_t bf16_bits(float value) {
  const bf16 rounded = __float2bfloat16(value);
  std::uint16_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  return bits;
}

/// Query vectors [first, first + n_vectors) of one KV head, rounded; zeros from `end` on.
template <int width, int n_vectors, int threads>
__device__ inline void load_queries(std::uint16_t (*to)[width + 8], const QueryRows& q, int first, int end, int kv_head,
                                    int group, int head_dim) {
  for (int i = static_cast<int>(threadIdx.x); i < n_vectors * width; i += threads) {
    const int vector = first + i / width, column = i % width;
    float x = 0;
    if (vector < end && column < head_dim) {
      const int head = kv_head * group + vector % group;
      x = q.data[vector / group * q.stride + static_cast<std::int64_t>(head) * head_dim + column];
    }
    to[i / width][column] = bf16_bits(x);
  }
}

/// The products of this warp's vectors, which begin at q, with a tile of keys.
template <int width, int strips, int groups>
__device__ inline void products_of_warp(float (&s)[strips][groups][4], const std::uint16_t (*q)[width + 8],
                                        const std::uint16_t (*k)[width + 8]) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int strip = 0; strip < strips; ++strip)
#pragma unroll
    for (int n = 0; n < groups; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e) s[strip][n][e] = 0;
#pragma unroll
  for (int step = 0; step < width / 16; ++step) {
    std::uint32_t a[strips][4];
#pragma unroll
    for (int strip = 0; strip < strips; ++strip)
      prim::load_matrices(a[strip], &q[16 * strip + lane % 16][16 * step + lane / 16 * 8]);
#pragma unroll
    for (int n = 0; n < groups; n += 2) {  // two groups of eight keys a load
      std::uint32_t b[4];
      prim::load_matrices(b, &k[8 * n + lane / 16 * 8 + lane % 8][16 * step + lane / 8 % 2 * 8]);
#pragma unroll
      for (int strip = 0; strip < strips; ++strip) {
        prim::mma_bf16(s[strip][n], a[strip], {b[0], b[1]});
        prim::mma_bf16(s[strip][n + 1], a[strip], {b[2], b[3]});
      }
    }
  }
}

/// acc += probabilities · values. The logits' layout is that of a left operand: probabilities never leave the registers.
template <int width, int strips, int groups>
__device__ inline void add_values(float (&acc)[strips][width / 8][4], const float (&p)[strips][groups][4],
                                  const std::uint16_t (*v)[width + 8]) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int step = 0; step < groups / 2; ++step) {
    std::uint32_t a[strips][4];
#pragma unroll
    for (int strip = 0; strip < strips; ++strip)
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const float(&pair)[4] = p[strip][2 * step + r / 2];
        a[strip][r] = pack_bf16(pair[r % 2 * 2], pair[r % 2 * 2 + 1]);
      }
#pragma unroll
    for (int i = 0; i < width / 8; i += 2) {
      std::uint32_t b[4];
      prim::load_matrices_transposed(b, &v[16 * step + lane % 16][8 * i + lane / 16 * 8]);
#pragma unroll
      for (int strip = 0; strip < strips; ++strip) {
        prim::mma_bf16(acc[strip][i], a[strip], {b[0], b[1]});
        prim::mma_bf16(acc[strip][i + 1], a[strip], {b[2], b[3]});
      }
    }
  }
}

}  // namespace kvmend::gpu
