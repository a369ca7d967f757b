// What a card does at best, from its clocks and units: the figures of NVIDIA's data sheets, at this card's own clocks.
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/units.h"

namespace kvmend::cuda {

Peak CudaBackend::measure_peak() {
  int card = 0;  // of this thread, which made the backend
  check(cudaGetDevice(&card), "finding the card");
  const auto attribute = [&](cudaDeviceAttr name) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, name, card), "reading the card's clocks");
    return static_cast<double>(value);
  };
  const Units units = units_of(device_->capability(), device_->name());
  const double clock = 1e3 * attribute(cudaDevAttrClockRate);            // the attributes are in kHz
  const double transfers = 2e3 * attribute(cudaDevAttrMemoryClockRate);  // two a clock
  return {clock * device_->multiprocessors() * (compute_dtype_ == DType::bf16 ? units.bf16 : units.float32),
          transfers * attribute(cudaDevAttrGlobalMemoryBusWidth) / 8};
}

}  // namespace kvmend::cuda
