#pragma once
#include "backend/backend.h"
#include "backend/cuda/device.h"

namespace kvmend::cuda {

/// Operations on an NVIDIA card: cuBLAS for products, kernels/ for the rest.
class CudaBackend final : public Backend {
 public:
  /// Throws Error(device) that says what is missing.
  CudaBackend(const BackendOptions& options, int ordinal);

  std::string name() const override { return "cuda"; }
  std::string description() const override;
  DType compute_dtype() const override { return compute_dtype_; }
  int threads() const override { return threads_; }
  int capability() const override { return device_->capability(); }
  DeviceMemory memory() override;
  void expect_weights(const WeightNeeds& needs) override;
  void expect_work(std::int64_t bytes) override;
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
  WeightPtr prepare(const WeightSource& source) override;
  WeightPtr prepare(std::span<const WeightSource> sources) override;
  Tensor prepare_table(const WeightSource& source) override;
  std::unique_ptr<Queue> make_queue() override;
  std::unique_ptr<Uploads> make_uploads() override;
  std::shared_ptr<std::byte[]> host_memory(std::size_t bytes) override;
  /// cuBLAS picks an algorithm by shape: one shape for every decode batch gives each row bits of its own.
  int decode_rows() const override { return 16; }
  int max_decode_rows() const override { return 16; }
  /// By the card's clocks and units; zeros for an emulated one.
  Peak measure_peak() override;

 private:
  std::shared_ptr<DeviceBuffer> upload_stored(const WeightSource& source);
  void load(const WeightSource& source, const Tensor& to);
  void check_finite(const WeightSource& source, const Tensor& values);

  DType compute_dtype_;
  int threads_;
  WeightStorage storage_;
  std::int64_t work_bytes_;
  bool keeps_stored_ = false;
  std::shared_ptr<Device> device_;
};

}  // namespace kvmend::cuda
