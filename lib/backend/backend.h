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
#include <string>
#include <vector>

#include "backend/activation.h"
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

/// For each query row the interval [begin, end) of the key list that it sees. The list is sorted by position, so
/// causal, windowed, non-causal and bottom-right masks are all intervals. Made by Queue::visibility.
struct Visibility {
  struct Interval {
    std::int32_t begin = 0, end = 0;
  };
  Tensor intervals;  ///< i32 [rows, 2]
  std::int64_t rows = 0;
  std::int64_t pairs = 0;  ///< Σ (end − begin)
  std::int32_t max_end = 0;
};

/// The keys and values one attention call reads: rows of two stores, picked and ordered by one list.
struct KvView {
  Tensor base_k, base_v;        ///< [n_base, kv_heads · head_dim], rotated keys; may be empty
  Tensor overlay_k, overlay_v;  ///< [n_overlay, kv_heads · head_dim]; may be empty
  Tensor slots;                 ///< i32 [≥ n_keys, 1]: s ≥ 0 is base row s, s < 0 is overlay row −s − 1
  std::int64_t n_keys = 0;
};

/// Logits of list entries [begin, end) become logit · scale + shift before the softmax (APE's temper).
struct Temper {
  std::int32_t begin = 0, end = 0;
  float scale = 1, shift = 0;
};

struct AttentionArgs {
  Tensor q;  ///< f32 [rows, heads · head_dim], rotated
  KvView kv;
  const Visibility* visible = nullptr;
  int head_dim = 0;
  float scale = 0;  ///< on q·k, normally 1/√head_dim
  std::optional<Temper> temper;
  Tensor out;  ///< f32 [rows, heads · head_dim]; a row that sees nothing is 0
  Tensor lse;  ///< optional f32 [rows, heads]: log Σ exp of the logits; −inf where nothing is seen
};

enum class HeadReduce : std::uint8_t { sum, mean };
enum class RowReduce : std::uint8_t { sum, max, l2 };

/// Column statistics of the softmax matrix without writing it: p[row, head, key] over each row's interval,
/// reduced over heads first, then over rows.
struct MassArgs {
  Tensor q;   ///< f32 [rows, heads · head_dim], rotated
  KvView kv;  ///< values are not read
  const Visibility* visible = nullptr;
  int head_dim = 0;
  float scale = 0;
  HeadReduce heads = HeadReduce::sum;
  RowReduce rows = RowReduce::sum;
  Tensor out;  ///< f32 [n_keys, 1]
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
  /// These two work on few rows: a backend without a kernel of its own has the host do them.
  virtual void do_join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b,
                                 const Tensor& lse_b, float scale);
  virtual void do_blend_rows(const Tensor& to, const Tensor& old);
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

/// Copies from host memory that run beside a queue's work, one after the other in the order they were begun.
class Uploads {
 public:
  virtual ~Uploads() = default;
  /// Begins to copy stored bytes to a dense tensor that nothing queued uses; returns the copy's number, from 0. `from` stays
  /// as it is until wait() has returned for that number.
  virtual std::int64_t begin(const Tensor& to, std::span<const std::byte> from) = 0;
  /// Returns when that copy and all before it are on the device: what queues are given from then on may read them. The
  /// seconds that the copies took which nobody had waited for.
  virtual double wait(std::int64_t number) = 0;
};

/// What a device does at best, measured: products in the compute dtype on registers alone, and reading memory that no
/// cache holds, on all threads.
struct Peak {
  double flops = 0;  ///< a second; 0: not measured
  double bytes = 0;  ///< a second
};

/// Bytes of a device; zeros: it does not say.
struct DeviceMemory {
  std::int64_t free = 0, total = 0;
};

/// Bytes of the host that copies are made from and to.
struct HostMemory {
  std::shared_ptr<std::byte[]> data;
  std::size_t held = 0;  ///< bytes that are gone while it lives, at least as many as were asked for
};

/// A device: owns memory, prepares weights, makes queues.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;         ///< "reference", "cpu", "cuda"
  virtual std::string description() const = 0;  ///< for people: instruction set, threads, how bf16 is done
  virtual DType compute_dtype() const = 0;      ///< f32 or bf16
  virtual int threads() const = 0;

  /// What allocate() may still have, if nothing else takes it. Waits for the device.
  virtual DeviceMemory memory() { return {}; }
  /// Uninitialised memory. Throws OutOfMemory (device_error.h) with the numbers when there is not enough.
  virtual Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) = 0;
  /// Told once a model, before its first matrix is prepared: a backend with little memory decides by it how to keep them.
  /// Throws OutOfMemory with the numbers and what to try where they do not fit.
  virtual void expect_weights(const WeightNeeds&) {}
  /// Told behind the last weight what requests take, and again where memory ran out: it is got ready now, so that no layer
  /// waits for it.
  virtual void expect_work(std::int64_t) {}
  virtual WeightPtr prepare(const WeightSource& source) = 0;
  /// Several matrices over the same input as one, stacked by rows (Q, K and V; gate and up).
  virtual WeightPtr prepare(std::span<const WeightSource> sources) = 0;
  /// A matrix kept as rows in the compute dtype: the embedding table.
  virtual Tensor prepare_table(const WeightSource& source) = 0;
  virtual std::unique_ptr<Queue> make_queue() = 0;
  /// Where host and device share their memory a copy is done when it has begun.
  virtual std::unique_ptr<Uploads> make_uploads();
  /// Host memory that uploads are fastest from (pinned, where that is a thing). Throws OutOfMemory.
  virtual HostMemory host_memory(std::size_t bytes);
  /// Rows a decode batch is padded to so that a row's bits do not depend on how many others there are;
  /// 1 where products of up to max_decode_rows() rows give each row bits of its own.
  virtual int decode_rows() const = 0;
  /// The most rows a decode batch may have.
  virtual int max_decode_rows() const = 0;
  /// Rows that go through a layer's products together, at most most_product_rows: enough for the matmul's peak, few enough
  /// that the MLP's inner activations stay in a processor's cache and a long prompt's do not fill the memory.
  virtual int product_rows() const { return 512; }
  static constexpr int most_product_rows = 2048;
  /// Takes about a second; zeros where the backend does not know.
  virtual Peak measure_peak() { return {}; }
};

/// How a card keeps quantised matrices; products have the same bits either way.
enum class WeightStorage : std::uint8_t {
  automatic,  ///< in the compute dtype if that fits, else as stored
  computed,   ///< in the compute dtype
  stored,     ///< as the file stores them, dequantised for each product
};

struct BackendOptions {
  std::string device = "auto";  ///< cpu | reference | cuda | cuda:N; auto: cpu, whatever cards there are
  DType dtype = DType::f32;
  int threads = 0;  ///< 0: all processors of this process
  WeightStorage weights = WeightStorage::automatic;
  std::int64_t work_bytes = 0;  ///< what a request takes besides weights: a device with memory of its own keeps it free
};
/// Throws Error(usage) for an unknown device, Error(device) for one that is missing.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

}  // namespace kvmend
