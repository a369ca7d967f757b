#pragma once
// The one place that calls oneDNN.
#include <cstdint>
#include <string>

namespace kvmend::onednn {

/// "oneDNN 2.6.3".
std::string version();

/// Makes oneDNN compute in the calling thread alone. Our own pool splits the work: OpenMP's threads would compete
/// with it, spin while idle, and drown ThreadSanitizer in false races. Cheap to call again.
void stay_in_this_thread();

/// c [m, n] = a [m, k] · bᵀ + beta · c; b is [n, k]; all row-major float32, rows lda, ldb, ldc apart.
/// Throws Error(device) if oneDNN refuses.
void sgemm_nt(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
              std::int64_t ldb, float beta, float* c, std::int64_t ldc);

}  // namespace kvmend::onednn
