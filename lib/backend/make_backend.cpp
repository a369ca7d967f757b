#include "backend/backend.h"
#include "backend/cpu/cpu_backend.h"
#include "backend/cuda_library.h"
#include "backend/reference/reference_backend.h"
#include "core/error.h"

namespace kvmend {

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  if (options.dtype == DType::i32) fail(ErrorKind::usage, "a model cannot compute in i32; use f32 or bf16");
  if (options.threads < 0)
    fail(ErrorKind::usage, "{} threads; use 1 or more, or 0 for all processors", options.threads);
  if (options.device == "reference") return std::make_unique<ReferenceBackend>(options.dtype);
  // auto does not look for a card: what is computed where would depend on the machine, and cell keys hold the backend.
  if (options.device == "cpu" || options.device == "auto")
    return std::make_unique<CpuBackend>(options.dtype, options.threads);
  if (options.device.starts_with("cuda")) return make_cuda_backend(options);
  fail(ErrorKind::usage, "unknown device '{}'; use auto, cpu, cuda, cuda:N or reference", options.device);
}

}  // namespace kvmend
