#pragma once
// Products with a weight that was packed once, at load. Both operands are kept as 32-bit words: a float32, or a pair
// of bf16 that are neighbours in k. A panel of the weight is [steps][kPanel] words, a block of rows is
// [steps][kTileRows] words, so that both are read from front to back; neither is transposed again, and a panel that
// one core's second level cache holds meets all rows of a group. As in matmul.h every output element is one chain of
// additions in the order of k, whatever the number of rows.
#include "backend/cpu/kernels/words.h"

namespace kvmend::KVMEND_LEVEL {

/// sum + a·b for words that are float32, or sum + both products for pairs of bf16.
template <bool kPairs>
static inline Vec multiply_words(Vec a, Vec b, Vec sum) {
  return kPairs ? dot_pairs(a, b, sum) : fma(a, b, sum);
}

/// What the sums of a tile begin with, and where they go. kFull: all R rows and all columns exist.
template <int R, int V, bool kFull>
struct PackedTile {
  Vec sum[R][V];

  static Vec read(const float* from, std::int64_t here) { return kFull ? load(from) : load_up_to(from, here); }
  template <class T>
  static void write(T* to, Vec v, std::int64_t here) {
    kFull ? store(to, v) : store_up_to(to, v, here);
  }

  void begin(const PackedMatmulArgs& a, std::int64_t row, std::int64_t column) {
    for (int v = 0; v < V; ++v) {
      const std::int64_t c = column + v * kLanes;
      const Vec bias = a.bias != nullptr ? read(a.bias + c, a.n - c) : Vec{};
      for (int i = 0; i < R; ++i) sum[i][v] = bias;
    }
    if (!a.accumulate) return;
    const float* out = static_cast<const float*>(a.out.data) + row * a.out.stride + column;
    for (int i = 0; i < R; ++i, out += a.out.stride)
      for (int v = 0; v < V; ++v)
        if (kFull || row + i < a.m) sum[i][v] += read(out + v * kLanes, a.n - column - v * kLanes);
  }

  template <class T>
  void end(const PackedMatmulArgs& a, std::int64_t row, std::int64_t column, T* out) const {
    out += row * a.out.stride + column;
    for (int i = 0; i < R; ++i, out += a.out.stride)
      for (int v = 0; v < V; ++v)
        if (kFull || row + i < a.m) write(out + v * kLanes, sum[i][v], a.n - column - v * kLanes);
  }
};

/// R rows of a block against P panels, `panel_words` apart.
template <bool kPairs, int R, int P, bool kFull>
static inline void multiply_packed_tile(const PackedMatmulArgs& a, std::int64_t row, std::int64_t column,
                                        const float* x, const float* w, std::int64_t panel_words) {
  constexpr int V = 2 * P;
  PackedTile<R, V, kFull> tile;
  tile.begin(a, row, column);
  for (std::int64_t step = a.step_begin; step < a.step_end; ++step) {
    Vec b[V];
    for (int v = 0; v < V; ++v) b[v] = load(w + (v / 2) * panel_words + step * kPanel + (v % 2) * kLanes);
    for (int i = 0; i < R; ++i) {
      const Vec xi = splat_word(x + step * kTileRows + i);
      for (int v = 0; v < V; ++v) tile.sum[i][v] = multiply_words<kPairs>(xi, b[v], tile.sum[i][v]);
    }
  }
  if (a.out.bf16)
    tile.end(a, row, column, static_cast<std::uint16_t*>(a.out.data));
  else
    tile.end(a, row, column, static_cast<float*>(a.out.data));
}

/// The last block of rows may be short: it takes the smallest tile that holds it, its other rows being zero. One or
/// two rows take two panels at once, so that additions do not wait for each other.
template <bool kPairs>
static void multiply_packed(const PackedMatmulArgs& a, std::int64_t row_begin, std::int64_t row_end,
                            std::int64_t panel_begin, std::int64_t panel_end) {
  const std::int64_t panel_words = packed_panel_words(a.steps), block_words = packed_block_words(a.steps);
  const auto block_of = [&](std::int64_t row) { return a.x + row / kTileRows * block_words; };
  std::int64_t panel = panel_begin;
  for (; row_end - row_begin <= 2 && panel + 2 <= panel_end; panel += 2)
    multiply_packed_tile<kPairs, 2, 2, false>(a, row_begin, panel * kPanel, block_of(row_begin),
                                              a.weight + panel * panel_words, panel_words);
  for (; panel < panel_end; ++panel) {
    const float* w = a.weight + panel * panel_words;
    const std::int64_t column = panel * kPanel, whole_rows = column + kPanel <= a.n ? row_end - kTileRows : -1;
    std::int64_t row = row_begin;
    for (; row <= whole_rows; row += kTileRows)
      multiply_packed_tile<kPairs, kTileRows, 1, true>(a, row, column, block_of(row), w, panel_words);
    for (; row < row_end; row += kTileRows) {
      const std::int64_t rows = row_end - row;
      if (rows > kTileRows / 2)
        multiply_packed_tile<kPairs, kTileRows, 1, false>(a, row, column, block_of(row), w, panel_words);
      else if (rows > 2)
        multiply_packed_tile<kPairs, kTileRows / 2, 1, false>(a, row, column, block_of(row), w, panel_words);
      else
        multiply_packed_tile<kPairs, 2, 1, false>(a, row, column, block_of(row), w, panel_words);
    }
  }
}

template <bool kPairs>
static std::int64_t packed_steps(std::int64_t k) {
  return steps_of(k, kPairs);
}

template <bool kPairs>
constexpr PackedProducts kPackedProducts{.rows = kTileRows,
                                         .columns = kPanel,
                                         .steps = packed_steps<kPairs>,
                                         .block_words = packed_block_words,
                                         .most_steps = std::int64_t{1} << 40,
                                         .step_multiple = 1,
                                         .group_words = 160 << 10,
                                         .pack_rows = pack_rows<kPairs>,
                                         .pack_panels = pack_panels<kPairs>,
                                         .multiply = multiply_packed<kPairs>};

}  // namespace kvmend::KVMEND_LEVEL
