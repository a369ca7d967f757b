#pragma once
// The operations a model needs, on opaque device tensors, in the order they are queued. Queue's public members
// check shapes and count the cost once for all backends; a backend implements the do_… members.
//
// Compute dtype: with f32 every operand is float32. With bf16 both operands of every product (matmul, Q·K, P·V)
// are rounded to bf16 (nearest, ties to even) and accumulated in float32; activations between operations, norms
// and softmax stay float32; keys and values are stored in bf16. A processor without the instruction does the same
// rounding before a float32 product.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "backend/activation.h"
#include "backend/attention_args.h"
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend {

/// What operations cost, counted from what ran. FLOPs: 2·m·n·k a matmul, 4·head_dim·heads a visible (query, key)
/// pair of attention, 2·head_dim·heads a pair of attention mass; nothing else counts. Bytes: operands once.
struct OpCost {
  double flops = 0;
  double bytes = 0;
  OpCost& operator+=(const OpCost& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
  OpCost operator-(const OpCost& other) const { return {flops - other.flops, bytes - other.bytes}; }
};

struct MatmulOptions {
  Tensor bias;              ///< optional f32 [1, n]
  bool accumulate = false;  ///< out += x · Wᵀ (+ bias)
};

/// Operations in order. Nothing is guaranteed to have run before download() or finish() returns.
class Queue {
 public:
  virtual ~Queue() = default;

  // ---- memory ------------------------------------------------------------------------------------------------
  /// Host to device, row-major, converted to the tensor's dtype (bf16: nearest even).
  void upload(const Tensor& to, std::span<const float> from);
  void upload(const Tensor& to, std::span<const std::int32_t> from);
  /// Device to host, converted to float32 / as is; waits for the queue.
  void download(std::span<float> to, const Tensor& from);
  void download(std::span<std::int32_t> to, const Tensor& from);
  /// The stored bytes of a dense tensor (bf16 stays bf16), for chunk caches. The copy may be under way until finish() has
  /// returned; until then the host's bytes stay where they are and as they are, and those that come are not read.
  void download_raw(std::span<std::byte> to, const Tensor& from);
  void upload_raw(const Tensor& to, std::span<const std::byte> from);
  virtual void finish() = 0;
  /// A point of time between what was queued before and what is queued behind it.
  class Mark {
   public:
    virtual ~Mark() = default;
  };
  using MarkPtr = std::shared_ptr<const Mark>;
  /// Here and now; a queue that runs behind the host does not wait for it.
  virtual MarkPtr mark();
  /// Seconds from one mark of this queue to another. The queue has been waited for since.
  virtual double seconds_between(const Mark& from, const Mark& to) const;
  Visibility visibility(std::span<const Visibility::Interval> intervals);

  // ---- rows --------------------------------------------------------------------------------------------------
  /// out[i] = table[ids[i]] · scale; out f32 [n, d], ids i32 [n, 1].
  void embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale = 1);
  /// to = from, converting between f32 and bf16; same shape.
  void copy(const Tensor& to, const Tensor& from);
  /// out[i] = x[indices[i]]; same dtype.
  void gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices);
  /// out[indices[i]] = x[i]; indices are distinct.
  void scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices);

  // ---- layers ------------------------------------------------------------------------------------------------
  /// out = x / rms(x) · weight; all f32; weight [1, cols / groups] where x is normalised in `groups` equal parts
  /// (q/k norms work a head at a time).
  void rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups = 1);
  void layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps);
  /// out [m, n] = x [m, k] · Wᵀ; x f32, out f32 or (K and V) the compute dtype.
  void matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options = {});
  /// Rotates each head of x by its row's position, pairing i with i + rotary/2. `table` is f32 [positions, rotary]:
  /// cosines, then sines, any attention factor included; columns of a head past `rotary` pass through. The
  /// rotation is done in float32 and rounded once to out's dtype. out may be x.
  void rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table, int head_dim);
  void attention(const AttentionArgs& args);
  /// One row a cell: row i of q attends to all keys of cells[i]. Bits do not depend on the other cells.
  void decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim, float scale,
                        std::span<const std::optional<Temper>> tempers = {});
  void attention_mass(const MassArgs& args);
  /// Joins attention over two disjoint sets of keys: per row and head, out = w·a + (1 − w)·b with (w, 1 − w) =
  /// softmax(scale·lse_a, lse_b). All f32: [rows, heads · head_dim] and [rows, heads]. out may be a or b.
  void join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b, const Tensor& lse_b,
                      float scale);
  /// to[r] = θ·to[r] + (1 − θ)·old[r] with θ = max(0, cos(to[r], old[r])); one real dtype. A row of zeros stays old's.
  void blend_rows(const Tensor& to, const Tensor& old);
  /// out = activation(gate) · up; all f32.
  void gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation);
  void activate(const Tensor& out, const Tensor& x, Activation activation);
  /// out += x; f32.
  void add(const Tensor& out, const Tensor& x);

  // ---- reductions --------------------------------------------------------------------------------------------
  /// out[i] = Σ_c (a[i,c] − b[i,c])², f32 [rows, 1]; without b: Σ_c a².
  void row_deviation(const Tensor& out, const Tensor& a, const Tensor& b = {});
  /// out[u] = the mean of fresh[r] − old[r] over the rows r in [begin, end) = ranges[u], 0 where there is none. out f32
  /// [ranges, w]; fresh and old [rows, w] of one real dtype; ranges i32 [ranges, 2], dense.
  void mean_change(const Tensor& out, const Tensor& fresh, const Tensor& old, const Tensor& ranges);
  /// Index of the largest element of each row, the lowest on ties; out i32 [rows, 1].
  void argmax(const Tensor& out, const Tensor& x);
  /// The indices of each row's k largest elements in ascending order, of equal ones the lower; x f32 without NaN, out i32
  /// [rows, k], dense. Strategies select on the host, where a budget knows pinned and exact rows; this is for a selection
  /// that stays on the device.
  void top_k(const Tensor& out, const Tensor& x);

  /// Everything counted since the queue was made.
  OpCost cost() const { return cost_; }

 protected:
  virtual void do_upload(const Tensor& to, std::span<const float> from) = 0;
  virtual void do_upload(const Tensor& to, std::span<const std::int32_t> from) = 0;
  virtual void do_download(std::span<float> to, const Tensor& from) = 0;
  virtual void do_download(std::span<std::int32_t> to, const Tensor& from) = 0;
  virtual void do_download_raw(std::span<std::byte> to, const Tensor& from) = 0;
  virtual void do_upload_raw(const Tensor& to, std::span<const std::byte> from) = 0;
  virtual Tensor do_allocate(DType dtype, std::int64_t rows, std::int64_t cols) = 0;
  virtual void do_embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) = 0;
  virtual void do_copy(const Tensor& to, const Tensor& from) = 0;
  virtual void do_gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) = 0;
  virtual void do_scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) = 0;
  virtual void do_rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) = 0;
  virtual void do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias,
                             float eps) = 0;
  virtual void do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) = 0;
  virtual void do_rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table,
                       int head_dim) = 0;
  virtual void do_attention(const AttentionArgs& args) = 0;
  virtual void do_decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim,
                                   float scale, std::span<const std::optional<Temper>> tempers) = 0;
  virtual void do_attention_mass(const MassArgs& args) = 0;
  /// These three work on few rows: a backend without a kernel of its own has the host do them.
  virtual void do_join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b,
                                 const Tensor& lse_b, float scale);
  virtual void do_blend_rows(const Tensor& to, const Tensor& old);
  virtual void do_mean_change(const Tensor& out, const Tensor& fresh, const Tensor& old, const Tensor& ranges);
  virtual void do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) = 0;
  virtual void do_activate(const Tensor& out, const Tensor& x, Activation activation) = 0;
  virtual void do_add(const Tensor& out, const Tensor& x) = 0;
  virtual void do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) = 0;
  virtual void do_argmax(const Tensor& out, const Tensor& x) = 0;
  /// A backend without a kernel of its own has the host do it.
  virtual void do_top_k(const Tensor& out, const Tensor& x);

 private:
  OpCost cost_;
};

}  // namespace kvmend
