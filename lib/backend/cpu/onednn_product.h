#pragma once
#include <cstdint>
#include <memory>

#include "backend/cpu/scratch.h"
#include "backend/tensor.h"

namespace kvmend::onednn {

/// Whether this processor multiplies bf16 numbers itself (AVX-512 BF16) and the installed oneDNN has kernels for it.
bool has_native_bf16();

/// Products of blocks of rows in one element type, float32 out. Generating code for a shape takes milliseconds and
/// the number of rows differs from call to call, so shapes are rounded up to kRowStep rows and kept.
class BlockProducts {
 public:
  static constexpr std::int64_t kRowStep = 32;

  /// f32 or bf16 operands.
  explicit BlockProducts(DType element);
  ~BlockProducts();

  /// c [m, n] = a [m, k] · bᵀ, b [n, k] with rows ldb apart; a and c are dense and have room for m rounded up to kRowStep
  /// rows. Threads may call it at the same time, each with a scratch of its own.
  /// Throws Error(device) if oneDNN has no kernel for it.
  void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const void* a, const void* b, std::int64_t ldb,
                float* c, Scratch& scratch);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kvmend::onednn
