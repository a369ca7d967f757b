#pragma once
#include <algorithm>
#include <vector>

#include "backend/cpu/resources.h"
#include "backend/host/host_queue.h"

namespace kvmend {

/// Runs each operation at once on the backend's threads. A queue is used by one thread at a time.
class CpuQueue final : public HostQueue {
 public:
  /// Products of up to this many rows are our own kernels', which give each row bits of its own; more are oneDNN's where
  /// weights are not packed.
  /// The kernel keeps up with oneDNN to about here (Zen 3: within 5 % at 96 rows, 8 % behind at 192).
  static constexpr int kFewRows = 128;

  CpuQueue(DType compute_dtype, const Kernels& kernels, Workers& workers)
      : compute_dtype_(compute_dtype), resources_(kernels, workers) {}

 protected:
  void do_embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) override;
  void do_copy(const Tensor& to, const Tensor& from) override;
  void do_gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) override;
  void do_scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) override;
  void do_rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) override;
  void do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) override;
  void do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) override;
  void do_rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table, int head_dim) override;
  void do_attention(const AttentionArgs& args) override;
  void do_decode_attention(const Tensor& out, const Tensor& q, std::span<const KvView> cells, int head_dim, float scale,
                           std::span<const std::optional<Temper>> tempers) override;
  void do_attention_mass(const MassArgs& args) override;
  void do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) override;
  void do_activate(const Tensor& out, const Tensor& x, Activation activation) override;
  void do_add(const Tensor& out, const Tensor& x) override;
  void do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) override;
  void do_argmax(const Tensor& out, const Tensor& x) override;

 private:
  bool rounds() const { return compute_dtype_ == DType::bf16; }
  const Kernels& kernels() const { return resources_.kernels; }
  Workers& workers() { return resources_.workers; }
  Scratch& of_thread(int thread) { return resources_.of_thread[static_cast<std::size_t>(thread)]; }

  /// body(begin, end) over pieces of `rows` that are worth a thread each, a row touching `elements` of them.
  template <class Body>
  void over_rows(std::int64_t rows, std::int64_t elements, const Body& body) {
    constexpr std::int64_t worth_a_thread = 1 << 15;
    const std::int64_t grain = std::max<std::int64_t>(1, worth_a_thread / std::max<std::int64_t>(1, elements));
    workers().parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end, int) { body(begin, end); });
  }
  /// to[r] = from[index[r]] · scale in to's type.
  void convert(const Tensor& to, const Tensor& from, const std::int32_t* index, float scale);

  /// x as a float32 product reads it: itself, or rounded to bf16's values in scratch.
  RealRows operand(const Tensor& x);
  void multiply_packed(const MatmulArgs& args, std::int64_t n, const Tensor& x, const Tensor& weight);
  void multiply_few(const MatmulArgs& args, std::int64_t n);
  void multiply_many(const MatmulArgs& args, std::int64_t n);

  DType compute_dtype_;
  CpuResources resources_;
  Scratch operand_, product_, sums_;
};

/// The memory of an f32 or bf16 tensor.
RealRows real_rows(const Tensor& tensor);

}  // namespace kvmend
