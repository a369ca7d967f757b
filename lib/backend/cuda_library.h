#pragma once
#include <memory>

#include "backend/backend.h"

namespace kvmend {

/// The CUDA backend out of its shared library, which is loaded at the first call: a program starts where there is no
/// driver. `device` is cuda or cuda:N. Throws Error(device) that says what is missing.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options);

}  // namespace kvmend
