#pragma once
// The kernels as functions: raw pointers, sizes and a stream. Implemented in .cu files, which alone see kernels/.
#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>

#include "backend/activation.h"
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend::cuda::launch {

/// Rows of a matrix on the card.
struct Rows {
  void* data = nullptr;
  std::int64_t stride = 0, rows = 0, cols = 0;
  DType dtype = DType::f32;
};

/// to[to_index[i]] = from[from_index[i]] · scale for i < rows; an index may be null. Real or integer on both sides.
cudaError_t move_rows(const Rows& to, const std::int32_t* to_index, const Rows& from, const std::int32_t* from_index,
                      std::int64_t rows, float scale, cudaStream_t stream);
/// `groups` equal parts of each row are normalised on their own.
cudaError_t rms_norm(const Rows& out, const Rows& x, const Rows& weight, float eps, int groups, cudaStream_t stream);
cudaError_t layer_norm(const Rows& out, const Rows& x, const Rows& weight, const Rows& bias, float eps,
                       cudaStream_t stream);
cudaError_t rope(const Rows& out, const Rows& x, const std::int32_t* positions, const Rows& table, int head_dim,
                 cudaStream_t stream);
/// out = activation(gate) · up, without up.data activation(gate).
cudaError_t activate(const Rows& out, const Rows& gate, const Rows& up, Activation activation, cudaStream_t stream);
/// out = a + b; b of one row is added to every row.
cudaError_t add_rows(const Rows& out, const Rows& a, const Rows& b, cudaStream_t stream);
cudaError_t row_deviation(const Rows& out, const Rows& a, const Rows& b, cudaStream_t stream);
/// out[u] = the mean of fresh − old over rows [ranges[2u], ranges[2u + 1]); out float32, the others one real type.
cudaError_t mean_change(const Rows& out, const Rows& fresh, const Rows& old, const std::int32_t* ranges,
                        cudaStream_t stream);
cudaError_t argmax(const Rows& out, const Rows& x, cudaStream_t stream);
/// Per row and head of lse_a: w · a + (1 − w) · b, (w, 1 − w) = softmax(scale · lse_a, lse_b); all float32.
cudaError_t join_attention(const Rows& out, const Rows& a, const Rows& lse_a, const Rows& b, const Rows& lse_b,
                           float scale, cudaStream_t stream);
/// to = θ · to + (1 − θ) · old by the rows' cosine θ ≥ 0; one real type.
cudaError_t blend_rows(const Rows& to, const Rows& old, cudaStream_t stream);
/// The indices of each row's k largest elements in ascending order, the lower ones on ties; out i32 [rows, k], dense.
cudaError_t top_k(std::int32_t* out, const Rows& x, int k, cudaStream_t stream);
/// out[count], float32 or bf16, from back-to-back blocks of a stored type, the first at a multiple of 16 bytes.
cudaError_t dequantise(void* out, DType dtype, const void* blocks, StoredType type, std::int64_t count,
                       cudaStream_t stream);

// ---- attention -----------------------------------------------------------------------------------------------

struct Keys {
  Rows base_k, base_v, overlay_k, overlay_v;
  const std::int32_t* slots = nullptr;
  std::int64_t n_keys = 0;
  std::int32_t temper_begin = 0, temper_end = 0;
  float temper_scale = 1, temper_shift = 0;
};

struct AttentionCall {
  Rows q;
  const std::int32_t* intervals = nullptr;  ///< [rows, 2]
  int heads = 0, kv_heads = 0, head_dim = 0;
  float scale = 0;
  bool round = false;         ///< operands are rounded to bf16
  Rows out, lse;              ///< lse.data may be null
  float* partials = nullptr;  ///< partial_floats() of them where parts > 1
  int parts = 1;
  int multiprocessors = 1;       ///< the card's
  std::size_t shared_bytes = 0;  ///< of its shared memory a block may have so many
};

/// The widest heads the kernels have room for.
constexpr int kMaxHeadDim = 256;

/// How many parts the keys are cut into so that a call with few rows fills the card.
int attention_parts(const AttentionCall& call, const Keys& keys, std::int64_t max_keys);
std::size_t partial_floats(const AttentionCall& call);
cudaError_t attention(const AttentionCall& call, const Keys& keys, cudaStream_t stream);

/// Keys of one part of a cell's list in decoding: the cut depends on the list alone, and so do a cell's bits.
constexpr int kDecodePart = 1024;
/// Row i of q over all keys of cell i. `staged` (pinned) and `on_device` have room for cell_bytes() a cell.
cudaError_t decode_attention(const AttentionCall& call, std::span<const Keys> cells, std::byte* staged, void* on_device,
                             cudaStream_t stream);
std::size_t cell_bytes();

/// 0 sum, 1 max, 2 the root of the sum of squares over rows, of head_weight · the sum over heads. `stats` has room for
/// 2 · rows · heads; out is [n_keys, 1].
cudaError_t attention_mass(const AttentionCall& call, const Keys& keys, float head_weight, int row_reduction,
                           float* stats, cudaStream_t stream);

}  // namespace kvmend::cuda::launch
