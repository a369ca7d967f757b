#pragma once
#include "mma_keys.cuh"
#include "mma_softmax.cuh"

namespace kvmend::gpu {

/// What some row of the vectors [first, end) sees, and what every row does.
struct SeenByRows {
  Interval any{0x7fffffff, 0}, all{0, 0x7fffffff};
};
template <class T>
__device__ inline SeenByRows seen_by_rows(const QueryRows& q, const KeyList<T>& keys, int first, int end, int group) {
  SeenByRows seen;
  for (int r = first / group; r <= (end - 1) / group; ++r) {
    const Interval row = interval_of(q, keys, r);
    seen.all = {max(seen.all.begin, row.begin), min(seen.all.end, row.end)};
    if (row.begin < row.end) seen.any = {min(seen.any.begin, row.begin), max(seen.any.end, row.end)};
  }
  return seen;
}

/// Where the results of a block's vectors go.
struct MmaOutput {
  const AttentionShape& shape;
  const Partials& partials;
  const AttentionResult& result;
  int kv_head, part;

  /// A lane's columns of one vector, and from the first lane of four its top and sum.
  template <int columns>
  __device__ void write(int vector, const float (&acc)[columns][4], int half, float top, float sum) const {
    const int lane = static_cast<int>(threadIdx.x) % 32, d = shape.head_dim, vectors = shape.rows * shape.group;
    const int row = vector / shape.group, head = kv_head * shape.group + vector % shape.group;
    const std::int64_t item = static_cast<std::int64_t>(kv_head) * vectors + vector;
    const bool whole = partials.data == nullptr;
    float* to = whole ? result.out : partials.data;
    to += whole ? row * result.out_stride + static_cast<std::int64_t>(head) * d
                : (static_cast<std::int64_t>(part) * shape.kv_heads * vectors + item) * (d + 2);
    const float divisor = !whole ? 1.0F : sum > 0 ? sum : 1.0F;
    if (result.tops == nullptr) {
#pragma unroll
      for (int i = 0; i < columns; ++i) {
        const int column = 8 * i + lane % 4 * 2;
        if (column < d) to[column] = acc[i][2 * half] / divisor;
        if (column + 1 < d) to[column + 1] = acc[i][2 * half + 1] / divisor;
      }
    }
    if (lane % 4 != 0) return;
    if (!whole) {
      to[d] = top;
      to[d + 1] = sum;
      return;
    }
    if (result.lse != nullptr)
      result.lse[row * result.lse_stride + head] = sum > 0 ? kLn2 * (top + log2f(sum)) : -INFINITY;
    if (result.tops != nullptr) {
      result.tops[item] = top;
      result.sums[item] = sum;
    }
  }
};

/// Attention of any query rows on tensor cores: bf16 operands, float32 accumulators. Grid (tiles of vectors, KV heads,
/// cells · parts). Keys stream through shared memory; tiles outside of what the block's rows see are not visited, tiles
/// that all of them see are not masked. `cells` gives each row its own key list (decoding: a tile holds one row's `group`
/// vectors, and warps without any only help to copy). With result.tops only the softmax's tops and sums are wanted: values
/// are not read.
///
/// Prefill, `wide`: 128 vectors a block; mma_tile.cuh has what shared memory, L2 and mma allow each tile. FLOPs: 4 ·
/// head_dim a visible pair; bytes: keys and values once a tile of vectors, from L2. With heads of 128 a warp has, for 32
/// vectors and 64 keys, 256 mma, which are 1660 clocks of an H100's tensor core and 2050 of an A100's, and beside them some
/// 650 issue slots (350 of softmax, 80 loads of fragments, the rest copies and masks) and 64 exponentials of 8 clocks. The
/// scheduler's other warp, of the second block, fills them with its mma: of mma.sync's rate three quarters make 46 % of an
/// H100's peak and 75 % of an A100's. FlashAttention-2, which has the same tile, reaches 35 % (arXiv 2407.08608) and 50 to
/// 73 % (arXiv 2307.08691). Of heads of 256 shared memory allows less: 30 % and 55 %.
/// Model, not measured: 512 rows over 8192 keys, 32 heads of 128, all visible; 69 GFLOP; floor 70 µs; expected 35 % of
/// FLOPs (mma, not wgmma; of an A100's 312 TFLOP/s 55 %).
/// Decoding, and few rows. Bytes: keys and values once. A group of 4 heads does 4 FLOPs a byte, 13 TFLOP/s at the memory's
/// speed; filling the tile's other 12 rows with zeros makes it 54, of 990. On CUDA cores shared memory would be the limit:
/// each of 16 rows reads every key, 32 bytes a byte from memory. Here one warp reads it once by ldmatrix. 16 rows over 8192
/// keys each, 8 KV heads of 128: 537 MB, floor 160 µs, expected 75 % of bandwidth.
template <int width, bool wide, bool async, class T>
__global__ void __launch_bounds__(MmaTile<width, wide>::kThreads, MmaTile<width, wide>::kBlocks)
    attention_mma(QueryRows q, KeyList<T> list, const KeyList<T>* cells, AttentionShape shape, Partials partials,
                  AttentionResult result) {
  using Tile = MmaTile<width, wide>;
  KVMEND_DYNAMIC_SHARED(Tile, tile);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int of_warp = static_cast<int>(threadIdx.x) / 32 * 16 * Tile::kStrips;  // its first vector in the tile
  const int part = static_cast<int>(blockIdx.z) % partials.parts, cell = static_cast<int>(blockIdx.z) / partials.parts;
  const KeyList<T> keys = wide || cells == nullptr ? list : cells[cell];
  const int kv_head = static_cast<int>(blockIdx.y);
  const int end = cells == nullptr ? shape.rows * shape.group : (cell + 1) * shape.group;
  // The last rows see the most keys as a rule: they begin, so that what is left over at the end is short.
  const int first = cell * shape.group + static_cast<int>(gridDim.x - 1 - blockIdx.x) * Tile::kVectors;
  const bool wants_values = result.tops == nullptr;
  load_queries<width, Tile::kVectors, Tile::kThreads>(tile->q, q, first, end, kv_head, shape.group, shape.head_dim);
  const SeenByRows seen = seen_by_rows(q, keys, first, min(first + Tile::kVectors, end), shape.group);
  const Interval mine = part_of(seen.any, part, partials.parts, shape.keys_of_part, Tile::kKeys);
  if (threadIdx.x == 0) tile->seen_by_all = common(seen.all, mine);
  for (int i = static_cast<int>(threadIdx.x); i < Tile::kVectors; i += Tile::kThreads)
    tile->sees[i] = first + i < end ? common(interval_of(q, keys, (first + i) / shape.group), mine) : Interval{0, 0};
  SoftmaxRows<Tile::kStrips> rows;
  float acc[Tile::kStrips][width / 8][4];
#pragma unroll
  for (int strip = 0; strip < Tile::kStrips; ++strip)
#pragma unroll
    for (int i = 0; i < width / 8; ++i)
#pragma unroll
      for (int e = 0; e < 4; ++e) acc[strip][i][e] = 0;

  KeyTiles<Tile, async, T> tiles{tile, keys, mine, kv_head * shape.head_dim, shape.head_dim, wants_values};
  for (tiles.start(); !tiles.done(); tiles.next()) {
    const bool some = wide || first + of_warp < end;  // else the whole warp has no vector
    float s[Tile::kStrips][Tile::kKeys / 8][4];
    tiles.keys_ready();
    if (some) products_of_warp<width>(s, tile->q + of_warp, tile->k[tiles.stage()]);
    tiles.values_ready();
    if (!some) continue;
    logits_of_warp(s, tiles.begin, shape.scale, keys.temper);
    if (tiles.begin < tile->seen_by_all.begin || tiles.begin + Tile::kKeys > tile->seen_by_all.end)
      mask_of_warp(s, tiles.begin, tile->sees + of_warp);
    softmax_of_warp(s, rows, acc);
    if (wants_values) add_values<width>(acc, s, tile->v[tiles.stage()]);
  }

  const MmaOutput output{shape, partials, result, kv_head, part};
#pragma unroll
  for (int strip = 0; strip < Tile::kStrips; ++strip)
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = rows.sum[strip][half];
      sum += __shfl_xor_sync(kAllLanes, sum, 1);
      sum += __shfl_xor_sync(kAllLanes, sum, 2);
      const int vector = first + of_warp + 16 * strip + lane / 4 + 8 * half;
      if (vector < end) output.write(vector, acc[strip], half, rows.top[strip][half], sum);
    }
}

}  // namespace kvmend::gpu
