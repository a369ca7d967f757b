#include <algorithm>
#include <vector>

#include "backend/cpu/cpu_queue.h"
#include "backend/cpu/cpu_weight.h"
#include "backend/cpu/onednn.h"
#include "backend/host/host_buffer.h"
#include "core/error.h"

namespace kvmend {

void CpuQueue::do_matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) {
  const auto* ours = dynamic_cast<const CpuWeight*>(&weight);
  require(ours != nullptr, "matmul: a weight prepared by another backend");
  const std::int64_t m = x.rows(), n = weight.rows, k = weight.cols;
  std::vector<float> rounded;
  const float* from = host_data<float>(x);
  std::int64_t ldx = x.stride();
  if (compute_dtype_ == DType::bf16) {
    rounded.resize(static_cast<std::size_t>(m * k));
    for (std::int64_t r = 0; r < m; ++r)
      std::transform(from + r * ldx, from + r * ldx + k, rounded.data() + r * k, round_bf16);
    from = rounded.data();
    ldx = k;
  }
  std::vector<float> scratch;
  float* to = nullptr;
  std::int64_t ldo = out.stride();
  if (out.dtype() == DType::f32) {
    to = host_data<float>(out);
  } else {
    scratch.resize(static_cast<std::size_t>(m * n));
    to = scratch.data();
    ldo = n;
  }
  const float* bias = host_data<float>(options.bias);
  constexpr std::int64_t columns = 192;
  workers_.parallel_for(n, columns, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> wide;
    const float* w = nullptr;
    if (compute_dtype_ == DType::bf16) {
      const Bf16* narrow = host_data<Bf16>(ours->values) + begin * k;
      wide.resize(static_cast<std::size_t>((end - begin) * k));
      std::transform(narrow, narrow + (end - begin) * k, wide.begin(), [](Bf16 v) { return to_float(v); });
      w = wide.data();
    } else {
      w = host_data<float>(ours->values) + begin * k;
    }
    onednn::sgemm_nt(m, end - begin, k, from, ldx, w, k, options.accumulate ? 1.0F : 0.0F, to + begin, ldo);
    if (bias != nullptr)
      for (std::int64_t r = 0; r < m; ++r)
        for (std::int64_t c = begin; c < end; ++c) to[r * ldo + c] += bias[c];
  });
  if (out.dtype() == DType::bf16)
    for (std::int64_t r = 0; r < m; ++r)
      std::transform(to + r * n, to + r * n + n, host_data<Bf16>(out) + r * out.stride(), to_bf16);
}

}  // namespace kvmend
