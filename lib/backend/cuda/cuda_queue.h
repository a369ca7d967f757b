#pragma once
#include "backend/backend.h"
#include "backend/cuda/device.h"
#include "backend/cuda/launch.h"

namespace kvmend::cuda {

/// Queues each operation on the device's stream. Only downloads and finish() wait.
class CudaQueue final : public Queue {
 public:
  CudaQueue(DType compute_dtype, std::shared_ptr<Device> device)
      : compute_dtype_(compute_dtype), device_(std::move(device)) {}
  void finish() override { device_->finish(); }

 protected:
  void do_upload(const Tensor& to, std::span<const float> from) override;
  void do_upload(const Tensor& to, std::span<const std::int32_t> from) override;
  void do_download(std::span<float> to, const Tensor& from) override;
  void do_download(std::span<std::int32_t> to, const Tensor& from) override;
  void do_download_raw(std::span<std::byte> to, const Tensor& from) override;
  void do_upload_raw(const Tensor& to, std::span<const std::byte> from) override;
  Tensor do_allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
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
  void do_join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b, const Tensor& lse_b,
                         float scale) override;
  void do_blend_rows(const Tensor& to, const Tensor& old) override;
  void do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) override;
  void do_activate(const Tensor& out, const Tensor& x, Activation activation) override;
  void do_add(const Tensor& out, const Tensor& x) override;
  void do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) override;
  void do_argmax(const Tensor& out, const Tensor& x) override;
  void do_top_k(const Tensor& out, const Tensor& x) override;

 private:
  bool rounds() const { return compute_dtype_ == DType::bf16; }
  cudaStream_t stream() const { return device_->stream(); }
  Tensor scratch(DType dtype, std::int64_t rows, std::int64_t cols) { return allocate_on(device_, dtype, rows, cols); }
  /// out (float32, or bf16 with bf16 operands) = x · Wᵀ + beta · out by cuBLAS.
  void product(const Tensor& out, const Tensor& x, const Tensor& weight, float beta);
  launch::AttentionCall attention_call(const Tensor& q, const Tensor& out, const KvView& kv, int head_dim,
                                       float scale) const;
  /// Room for the parts of a call whose keys are cut; keep it until the call is queued.
  Tensor partials_of(launch::AttentionCall& call);

  /// fill(destination, first row, rows) into pinned pieces, each copied to the card.
  template <class Fill>
  void upload_rows(const Tensor& to, const Fill& fill);
  /// read(source, first row, rows) of pinned pieces copied from the card.
  template <class Read>
  void download_rows(const Tensor& from, const Read& read);

  DType compute_dtype_;
  std::shared_ptr<Device> device_;
};

/// A tensor as the launches take it; of an empty handle no data.
launch::Rows rows_of(const Tensor& tensor);
/// An i32 column.
const std::int32_t* indices_of(const Tensor& tensor);

}  // namespace kvmend::cuda
