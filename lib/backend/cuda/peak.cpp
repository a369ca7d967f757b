// What a card does at best, from its clocks and units: the figures of NVIDIA's data sheets, at this card's own clocks.
#include "backend/cuda/cuda_backend.h"

namespace kvmend::cuda {

namespace {

/// FLOPs that a multiprocessor does a clock: float32 on CUDA cores, dense bf16 with float32 sums on tensor cores.
/// From the white papers: A100 (312 TFLOP/s bf16), GeForce Ampere, Ada and Blackwell (half rate with float32 sums),
/// H100 (989), B200 (2250). A capability not listed counts as the newest listed below it.
struct Units {
  int capability;
  double float32, bf16;
};
constexpr Units kUnits[] = {{80, 128, 2048}, {86, 256, 512},   {87, 256, 1024}, {89, 256, 1024},
                            {90, 256, 4096}, {100, 256, 8192}, {120, 256, 512}};

}  // namespace

Peak CudaBackend::measure_peak() {
  int card = 0;  // of this thread, which made the backend
  check(cudaGetDevice(&card), "finding the card");
  const auto attribute = [&](cudaDeviceAttr name) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, name, card), "reading the card's clocks");
    return static_cast<double>(value);
  };
  Units units = kUnits[0];
  for (const Units& u : kUnits)
    if (u.capability <= device_->capability()) units = u;
  const double clock = 1e3 * attribute(cudaDevAttrClockRate);            // the attributes are in kHz
  const double transfers = 2e3 * attribute(cudaDevAttrMemoryClockRate);  // two a clock
  return {clock * device_->multiprocessors() * (compute_dtype_ == DType::bf16 ? units.bf16 : units.float32),
          transfers * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8};
}

}  // namespace kvmend::cuda
