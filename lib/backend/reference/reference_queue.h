#pragma once
#include "backend/host/host_queue.h"

namespace kvmend {

/// Runs each operation at once, in the plainest way that says what it means.
class ReferenceQueue : public HostQueue {
 public:
  explicit ReferenceQueue(DType compute_dtype) : compute_dtype_(compute_dtype) {}

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

  DType compute_dtype_;
};

}  // namespace kvmend
