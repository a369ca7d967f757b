#pragma once
// The kernels as the queue sees them: one table for each instruction set they were compiled for. Arguments are plain
// pointers; every kernel works on a range of rows, columns or tiles that one thread takes.
#include <cstdint>
#include <span>

#include "backend/activation.h"
#include "backend/cpu/kernels/attention_args.h"

namespace kvmend {

/// Rows of float32 or bf16 in memory, `stride` elements apart.
struct RealRows {
  void* data = nullptr;
  std::int64_t stride = 0;
  bool bf16 = false;
};

struct NormArgs {
  float* out;
  const float* x;
  std::int64_t out_stride, x_stride;
  const float* weight;  ///< [size]
  const float* bias;    ///< [size] or null
  float eps;
  std::int64_t size;  ///< columns normalised together
  int groups;         ///< of them in a row
  bool center;        ///< subtract the mean first (LayerNorm)
};

struct RopeArgs {
  RealRows out, x;
  const std::int32_t* positions;
  const float* table;  ///< [positions, rotary]: cosines, then sines
  std::int64_t table_stride, rotary, heads, head_dim;
};

/// out = activation(gate) · up, or activation(gate) where up is null.
struct GatedArgs {
  float* out;
  const float* gate;
  const float* up;
  std::int64_t out_stride, gate_stride, up_stride, cols;
  Activation activation;
};

/// to[r] = from[index[r]] · scale, or from[r] without an index; `round` rounds float32 to bf16's values.
struct ConvertArgs {
  RealRows to, from;
  const std::int32_t* index;
  std::int64_t cols;
  float scale;
  bool round;
};

/// out += x
struct AddArgs {
  float* out;
  const float* x;
  std::int64_t out_stride, x_stride, cols;
};

/// out[r] = Σ (a − b)², or Σ a² where b.data is null.
struct DeviationArgs {
  float* out;
  std::int64_t out_stride;
  RealRows a, b;
  std::int64_t cols;
};

struct ArgmaxArgs {
  std::int32_t* out;
  std::int64_t out_stride;
  const float* x;
  std::int64_t x_stride, cols;
};

/// out [m, n] = x [m, k] · Wᵀ (+ out) (+ bias). Each element is one chain of additions over k: its bits depend on
/// its row of x and nothing else.
struct MatmulArgs {
  RealRows out;
  const float* x;
  std::int64_t x_stride;
  RealRows weight;  ///< [n, k]
  const float* bias;
  bool accumulate;
  std::int64_t m, k;
};

/// `rows` rows of float32, rearranged as words for packed products: a word is a float32, or a pair of bf16 (rounded)
/// that are neighbours in k.
struct PackArgs {
  const float* x;
  std::int64_t x_stride, rows, k;
  float* to;
};

/// out [m, n] = x · Wᵀ (+ out) (+ bias), both operands packed as words. Bits as MatmulArgs'.
struct PackedMatmulArgs {
  RealRows out;
  const float* x;       ///< blocks of rows
  const float* weight;  ///< panels of columns
  const float* bias;
  bool accumulate;
  std::int64_t m, n, steps;           ///< steps: words of a row
  std::int64_t step_begin, step_end;  ///< of them, what is multiplied now
};

/// Products of packed operands in one element type.
struct PackedProducts {
  std::int64_t rows, columns;                       ///< of a block of x, of a panel of a weight
  std::int64_t (*steps)(std::int64_t k);            ///< words of a row, the zeros behind it included
  std::int64_t (*block_words)(std::int64_t steps);  ///< a panel has steps · columns
  /// More steps are multiplied in parts, so that rows enough to be worth a panel stay in the second level cache: of this
  /// many words together.
  std::int64_t most_steps, step_multiple, group_words;
  /// Blocks [begin, end) of x; panels [begin, end) of a weight.
  void (*pack_rows)(const PackArgs&, std::int64_t begin, std::int64_t end);
  void (*pack_panels)(const PackArgs&, std::int64_t begin, std::int64_t end);
  /// Rows [row_begin, row_end) and panels [panel_begin, panel_end); row_begin is a multiple of `rows`.
  void (*multiply)(const PackedMatmulArgs&, std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
                   std::int64_t panel_end);
};

struct Kernels {
  const char* name;  ///< "x86-64-v3"
  int lanes;         ///< float32 elements of a vector

  using RowRange = std::int64_t;
  void (*norm)(const NormArgs&, RowRange begin, RowRange end);
  void (*rope)(const RopeArgs&, RowRange begin, RowRange end);
  void (*gated)(const GatedArgs&, RowRange begin, RowRange end);
  void (*convert)(const ConvertArgs&, RowRange begin, RowRange end);
  void (*add)(const AddArgs&, RowRange begin, RowRange end);
  void (*deviation)(const DeviationArgs&, RowRange begin, RowRange end);
  void (*argmax)(const ArgmaxArgs&, RowRange begin, RowRange end);

  /// Columns [begin, end) of the output. `scratch`: matmul_scratch floats, aligned to 64 bytes.
  void (*matmul)(const MatmulArgs&, std::int64_t begin, std::int64_t end, float* scratch);
  std::int64_t matmul_scratch;
  std::int64_t matmul_columns;  ///< a range should be a multiple of this

  PackedProducts packed_floats;
  /// Of pairs of bf16; null where the processor does not multiply them.
  const PackedProducts* packed_pairs;

  /// Independent products on registers: their FLOPs, as pairs of bf16 where the kernels have them. And a sum of `count`
  /// float32, a multiple of 4 · lanes.
  double (*peak_products)(std::int64_t rounds, bool pairs, float* sink);
  float (*sum_memory)(const float* from, std::int64_t count);

  std::int64_t attention_keys;     ///< of one tile; splits of the keys are multiples of it
  std::int64_t attention_vectors;  ///< partial results have room for a multiple of this
  std::int64_t attention_columns;  ///< padded dim: head_dim rounded up to this
  std::int64_t (*attention_scratch)(std::int64_t vectors, std::int64_t head_dim);
  void (*attend)(const AttentionTile&);
  void (*merge)(const AttentionPartial& into, const AttentionPartial& from, std::int64_t vectors,
                std::int64_t head_dim);
  void (*finish)(const AttentionPartial&, std::int64_t rows, std::int64_t group, std::int64_t head_dim, float* out,
                 std::int64_t out_stride, float* lse, std::int64_t lse_stride);
  std::int64_t (*decode_scratch)(std::int64_t group, std::int64_t head_dim);
  void (*decode)(const DecodePart&);
  std::int64_t (*mass_scratch)(std::int64_t kv_heads, std::int64_t group, std::int64_t head_dim);
  void (*mass)(const MassTile&);
};

/// Those this processor can run, the best last.
std::span<const Kernels* const> available_kernels();

}  // namespace kvmend
