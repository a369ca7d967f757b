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
  DeviceMemory memory() override;
  void expect_weights(const WeightNeeds& needs) override;
  void expect_work(std::int64_t bytes) override;
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override;
  WeightPtr prepare(const WeightSource& source) override;
  WeightPtr prepare(std::span<const WeightSource> sources) override;
  Tensor prepare_table(const WeightSource& source) override;
  std::unique_ptr<Queue> make_queue() override;
  std::unique_ptr<Uploads> make_uploads() override;
  HostMemory host_memory(std::size_t bytes) override;
  /// cuBLAS picks an algorithm by shape: one shape for every decode batch gives each row bits of its own.
  int decode_rows() const override { return 16; }
  int max_decode_rows() const override { return 16; }
  /// 512 rows by the 4096 columns of an 8B model are 64 tiles of 128 × 256, for 132 multiprocessors on an H100; 2048 are 256,
  /// two rounds that leave 3 % idle. Weights kept as stored are dequantised once a block: beside 2048 rows that is a fifth of
  /// the product's time, beside 512 three quarters (a model, not measured). Activations of an 8B model's block take 0.4 GB.
  int product_rows() const override { return most_product_rows; }
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
