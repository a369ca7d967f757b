#include "backend/cpu/onednn.h"

#include <oneapi/dnnl/dnnl.h>

#include "core/error.h"

// Of the OpenMP runtime, if oneDNN was built on one; a build on another runtime leaves it undefined.
extern "C" [[gnu::weak]] void omp_set_num_threads(int threads);

namespace kvmend::onednn {

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
}

void stay_in_this_thread() {
  thread_local const bool done = [] {
    if (omp_set_num_threads != nullptr) omp_set_num_threads(1);
    return true;
  }();
  (void)done;
}

void sgemm_nt(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
              std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  stay_in_this_thread();
  const dnnl_status_t status = dnnl_sgemm('N', 'T', m, n, k, 1.0F, a, lda, b, ldb, beta, c, ldc);
  if (status == dnnl_out_of_memory)
    fail(ErrorKind::device, "matmul: oneDNN has not enough memory for [{}, {}] x [{}, {}]", m, k, k, n);
  if (status != dnnl_success)
    fail(ErrorKind::device, "matmul: oneDNN refused [{}, {}] x [{}, {}] (status {})", m, k, k, n,
         static_cast<int>(status));
}

}  // namespace kvmend::onednn
