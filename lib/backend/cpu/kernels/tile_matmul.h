#pragma once
// Packed products of bf16 on tile registers. A weight's panels are packed_matmul.h's, their steps rounded up to a tile's:
// sixteen steps of sixteen columns are one right operand as they lie. A block of rows is [steps / 16][32][16] words, so
// that a left operand lies together, too. Every output element is one sum in the order of k, whatever the number of rows.
// The processors that have tiles have 2 MiB of second level cache a core.
#include "backend/cpu/kernels/tile.h"
#include "backend/cpu/kernels/words.h"

namespace kvmend::KVMEND_LEVEL {

constexpr int kTileBlock = 2 * kTileSide;  // rows of x
static_assert(kPanel == 2 * kTileSide, "a panel is two tiles wide");

static std::int64_t tile_steps(std::int64_t k) { return round_up(steps_of(k, true), kTileSide); }
static std::int64_t tile_block_words(std::int64_t steps) { return steps * kTileBlock; }

static void pack_tile_rows(const PackArgs& a, std::int64_t begin, std::int64_t end) {
  const std::int64_t steps = tile_steps(a.k);
  for (std::int64_t block = begin; block < end; ++block) {
    float* to = a.to + block * tile_block_words(steps);
    for (std::int64_t step = 0; step < steps; step += kTileSide)
      for (std::int64_t row = block * kTileBlock; row < (block + 1) * kTileBlock; ++row, to += kTileSide)
        store(to, row < a.rows ? load_words<true>(a.x + row * a.x_stride, a.k, step) : Vec{});
  }
}

static void pack_tile_panels(const PackArgs& a, std::int64_t begin, std::int64_t end) {
  const std::int64_t steps = tile_steps(a.k);
  for (std::int64_t panel = begin; panel < end; ++panel)
    pack_panel<true>(a.x + panel * kPanel * a.x_stride, a.x_stride, a.rows - panel * kPanel, a.k, steps,
                     a.to + panel * packed_panel_words(steps));
}

/// Sums of up to kTileBlock rows and one panel, with bias and what the output held, to the output.
template <class T>
static inline void end_tiles(const PackedMatmulArgs& a, std::int64_t row, std::int64_t column, const float* sums,
                             T* out) {
  const std::int64_t rows = a.m - row < kTileBlock ? a.m - row : kTileBlock;
  out += row * a.out.stride + column;
  for (std::int64_t v = 0; v < kPanel; v += kLanes) {
    const std::int64_t here = a.n - column - v;
    if (here <= 0) return;
    const Vec bias = a.bias != nullptr ? load_up_to(a.bias + column + v, here) : Vec{};
    for (std::int64_t r = 0; r < rows; ++r) {
      T* to = out + r * a.out.stride + v;
      store_up_to(to, load(sums + r * kPanel + v) + (a.accumulate ? bias + load_up_to(to, here) : bias), here);
    }
  }
}

/// What is fetched into the second level cache beside a block's products: its share of the next panel, a part a step. Behind
/// the last panel nothing is there to fetch, which a prefetch may be told to.
struct Ahead {
  const float* from;
  std::int64_t of_step;  ///< words

  void fetch() {
    for (std::int64_t i = 0; i < of_step; i += kTileSide) __builtin_prefetch(from + i, 0, 2);
    from += of_step;
  }
};

/// R tiles of rows of a block against one panel: R · 2 tiles of sums, so that R of 2 reads each operand for two products.
template <int R>
static inline void multiply_tiles(Tiles& tiles, const PackedMatmulArgs& a, std::int64_t row, std::int64_t column,
                                  const float* x, const float* w, Ahead ahead) {
  tiles.zero<0>();
  tiles.zero<1>();
  if constexpr (R == 2) {
    tiles.zero<2>();
    tiles.zero<3>();
  }
  for (std::int64_t step = a.step_begin; step < a.step_end; step += kTileSide) {
    tiles.load<4>(w, kPanel);
    tiles.load<5>(w + kTileSide, kPanel);
    tiles.load<6>(x, kTileSide);
    tiles.dot<0, 6, 4>();
    tiles.dot<1, 6, 5>();
    if constexpr (R == 2) {
      tiles.load<7>(x + kTileSide * kTileSide, kTileSide);
      tiles.dot<2, 7, 4>();
      tiles.dot<3, 7, 5>();
    }
    ahead.fetch();
    w += kTileSide * kPanel;
    x += kTileSide * kTileBlock;
  }
  alignas(64) float sums[kTileBlock * kPanel];
  tiles.store<0>(sums, kPanel);
  tiles.store<1>(sums + kTileSide, kPanel);
  if constexpr (R == 2) {
    tiles.store<2>(sums + kTileSide * kPanel, kPanel);
    tiles.store<3>(sums + kTileSide * kPanel + kTileSide, kPanel);
  }
  if (a.out.bf16)
    end_tiles(a, row, column, sums, static_cast<std::uint16_t*>(a.out.data));
  else
    end_tiles(a, row, column, sums, static_cast<float*>(a.out.data));
}

static void multiply_with_tiles(const PackedMatmulArgs& a, std::int64_t row_begin, std::int64_t row_end,
                                std::int64_t panel_begin, std::int64_t panel_end) {
  const std::int64_t panel_words = packed_panel_words(a.steps), block_words = tile_block_words(a.steps);
  const std::int64_t blocks = (row_end - row_begin + kTileBlock - 1) / kTileBlock;
  // A panel comes from memory while the one before it meets its rows: each block fetches a share, a line or more a step.
  const std::int64_t share = round_up(kTileSide * kPanel / blocks, kTileSide);
  Tiles tiles;
  for (std::int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const float *w = a.weight + panel * panel_words + a.step_begin * kPanel, *next = w + panel_words;
    for (std::int64_t row = row_begin; row < row_end; row += kTileBlock) {
      const float* x = a.x + row / kTileBlock * block_words + a.step_begin * kTileBlock;
      const Ahead ahead{next, share};
      next += share * ((a.step_end - a.step_begin) / kTileSide);
      if (row_end - row > kTileSide)
        multiply_tiles<2>(tiles, a, row, panel * kPanel, x, w, ahead);
      else
        multiply_tiles<1>(tiles, a, row, panel * kPanel, x, w, ahead);
    }
  }
}

constexpr PackedProducts kTileProducts{.rows = kTileBlock,
                                       .columns = kPanel,
                                       .steps = tile_steps,
                                       .block_words = tile_block_words,
                                       .most_steps = 1024,
                                       .step_multiple = kTileSide,
                                       .group_words = 256 << 10,
                                       .pack_rows = pack_tile_rows,
                                       .pack_panels = pack_tile_panels,
                                       .multiply = multiply_with_tiles};

/// As peak_products, on tiles.
static double peak_tile_products(std::int64_t rounds, float* sink) {
  alignas(64) float words[kTileSide * kTileSide] = {};
  Tiles tiles;
  tiles.zero<0>();
  tiles.zero<1>();
  tiles.zero<2>();
  tiles.zero<3>();
  tiles.load<4>(words, kTileSide);
  tiles.load<5>(words, kTileSide);
  for (std::int64_t round = 0; round < rounds; ++round) {
    tiles.dot<0, 4, 5>();
    tiles.dot<1, 4, 5>();
    tiles.dot<2, 4, 5>();
    tiles.dot<3, 4, 5>();
  }
  tiles.store<0>(words, kTileSide);
  *sink = words[0];
  return static_cast<double>(rounds) * 4 * 2 * (2 * kTileSide) * kTileSide * kTileSide;
}

}  // namespace kvmend::KVMEND_LEVEL
