#pragma once
#include <cuda_runtime_api.h>
#include <vector_functions.h>

#include <functional>
#include <tuple>
#include <type_traits>

namespace simt {

cudaError_t enqueue_kernel(const char* name, const void* kernel, dim3 grid, dim3 block, std::size_t shared_bytes,
                           cudaStream_t stream, std::function<void()> body);
cudaError_t allow_shared(const void* kernel, std::size_t bytes);

/// Arguments are copied at once, as a real launch does.
template <class... Parameters, class... Arguments>
cudaError_t launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
                   cudaStream_t stream, Arguments&&... arguments) {
  std::tuple<std::decay_t<Parameters>...> copies(static_cast<std::decay_t<Parameters>>(arguments)...);
  return enqueue_kernel(name, reinterpret_cast<const void*>(kernel), grid, block, shared_bytes, stream,
                        [kernel, copies] { std::apply(kernel, copies); });
}

}  // namespace simt
