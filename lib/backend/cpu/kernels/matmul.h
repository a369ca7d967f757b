#pragma once
// Products of rows with a matrix kept as it is in memory ([n, k]): a panel of columns is transposed into the first
// level cache as it streams past, and all rows meet it there. Every output element is one chain of fused additions
// in the order of k, whatever the number of rows, so its bits depend on its own row of x alone.
#include "backend/cpu/kernels/kernels.h"
#include "backend/cpu/kernels/transpose.h"

namespace kvmend::KVMEND_LEVEL {

constexpr int kTileRows = kLanes == 16 ? 12 : 6;  // accumulators: 2 vectors a row, within 32 or 16 registers
constexpr int kPanel = 2 * kLanes;                // columns of one panel
constexpr int kPanels = 2;                        // transposed together: four chains where there is one row
constexpr std::int64_t kDepth = 4096 / kPanel;    // of k at once: a panel of 16 KiB
constexpr std::int64_t kRowBlock = 96;            // rows of x that stay in the second level cache
constexpr std::int64_t kMatmulScratch = kPanels * kPanel * (kDepth + kRowBlock);

/// sum[i][·] += x[i][0..depth) · panel, for R rows and V vectors of columns (V / 2 panels).
template <int R, int V>
static inline void multiply_tile(const float* x, std::int64_t x_stride, const float* panel, std::int64_t depth,
                                 float* sum) {
  constexpr int kRow = kPanels * kPanel;
  Vec s[R][V];
  for (int i = 0; i < R; ++i)
    for (int v = 0; v < V; ++v) s[i][v] = load(sum + i * kRow + v * kLanes);
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec w[V];
    for (int v = 0; v < V; ++v) w[v] = load(panel + (v / 2) * kPanel * kDepth + k * kPanel + (v % 2) * kLanes);
    for (int i = 0; i < R; ++i) {
      const Vec xi = splat(x[i * x_stride + k]);
      for (int v = 0; v < V; ++v) s[i][v] = fma(xi, w[v], s[i][v]);
    }
  }
  for (int i = 0; i < R; ++i)
    for (int v = 0; v < V; ++v) store(sum + i * kRow + v * kLanes, s[i][v]);
}

/// All rows against both panels. Few rows take both panels at once, more take one after the other.
static void multiply_rows(const float* x, std::int64_t x_stride, std::int64_t rows, const float* panel,
                          std::int64_t depth, float* sum) {
  constexpr int kRow = kPanels * kPanel;
  std::int64_t r = 0;
  for (int p = 0; p < kPanels; ++p)
    for (r = 0; r + kTileRows <= rows; r += kTileRows)
      multiply_tile<kTileRows, 2>(x + r * x_stride, x_stride, panel + p * kPanel * kDepth, depth,
                                  sum + r * kRow + p * kPanel);
  for (; r + 2 <= rows; r += 2) multiply_tile<2, 4>(x + r * x_stride, x_stride, panel, depth, sum + r * kRow);
  for (; r < rows; ++r) multiply_tile<1, 4>(x + r * x_stride, x_stride, panel, depth, sum + r * kRow);
}

/// Rows [column, column + count) of W, columns [k, k + depth), as panels [k][kPanel]; missing rows are zero.
template <class T>
static inline void transpose_panels(const T* w, std::int64_t stride, std::int64_t column, std::int64_t end,
                                    std::int64_t k, std::int64_t depth, float* panel) {
  for (int v = 0; v < 2 * kPanels; ++v) {
    const T* rows[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const std::int64_t row = column + v * kLanes + i;
      rows[i] = row < end ? w + row * stride + k : nullptr;
    }
    transpose_rows(rows, depth, panel + (v / 2) * kPanel * kDepth + (v % 2) * kLanes, kPanel);
  }
}

/// Stores the sums of a block of rows. They began with bias and the old output, so only the type is left to change.
template <class T>
static inline void store_sums(const float* sum, T* out, std::int64_t stride, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; c += kLanes) {
      const Vec v = load(sum + r * kPanels * kPanel + c);
      store_up_to(out + r * stride + c, v, columns - c);
    }
}

/// What the sums of a block begin with: bias and, where the product is accumulated, the output as it was.
static inline void begin_sums(const MatmulArgs& a, std::int64_t row, std::int64_t rows, std::int64_t column,
                              std::int64_t columns, float* sum) {
  for (std::int64_t c = 0; c < kPanels * kPanel; c += kLanes) {
    const std::int64_t here = columns - c;
    const Vec bias = a.bias != nullptr ? load_up_to(a.bias + column + c, here) : Vec{};
    const float* out = static_cast<const float*>(a.out.data) + row * a.out.stride + column + c;
    for (std::int64_t r = 0; r < rows; ++r)
      store(sum + r * kPanels * kPanel + c, a.accumulate ? bias + load_up_to(out + r * a.out.stride, here) : bias);
  }
}

/// The depth k is cut in equal parts of at most kDepth.
static inline std::int64_t depth_of_parts(std::int64_t k) {
  const std::int64_t parts = (k + kDepth - 1) / kDepth;
  return parts == 0 ? kDepth : round_up((k + parts - 1) / parts, kLanes);
}

static void matmul(const MatmulArgs& a, std::int64_t begin, std::int64_t end, float* scratch) {
  float *panel = scratch, *sum = scratch + kPanels * kPanel * kDepth;
  const std::int64_t part = depth_of_parts(a.k);
  for (std::int64_t row = 0; row < a.m; row += kRowBlock) {
    const std::int64_t rows = a.m - row < kRowBlock ? a.m - row : kRowBlock;
    for (std::int64_t column = begin; column < end; column += kPanels * kPanel) {
      const std::int64_t columns = end - column < kPanels * kPanel ? end - column : kPanels * kPanel;
      begin_sums(a, row, rows, column, columns, sum);
      for (std::int64_t k = 0; k < a.k; k += part) {
        const std::int64_t depth = a.k - k < part ? a.k - k : part;
        if (a.weight.bf16)
          transpose_panels(static_cast<const std::uint16_t*>(a.weight.data), a.weight.stride, column, end, k, depth,
                           panel);
        else
          transpose_panels(static_cast<const float*>(a.weight.data), a.weight.stride, column, end, k, depth, panel);
        multiply_rows(a.x + row * a.x_stride + k, a.x_stride, rows, panel, depth, sum);
      }
      const std::int64_t offset = row * a.out.stride + column;
      if (a.out.bf16)
        store_sums(sum, static_cast<std::uint16_t*>(a.out.data) + offset, a.out.stride, rows, columns);
      else
        store_sums(sum, static_cast<float*>(a.out.data) + offset, a.out.stride, rows, columns);
    }
  }
}

}  // namespace kvmend::KVMEND_LEVEL
