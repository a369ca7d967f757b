// A product on tensor cores with asynchronous copies.
#include "mutant.h"

namespace mutants {

namespace {

using kvmend::gpu::bf16;

/// C (16×8) = A (16×k) · Bᵀ, B stored [8, k]; one warp.
template <Bug bug>
__global__ void product(float* c, const bf16* a, const bf16* b, int k) {
  KVMEND_SHARED(std::uint16_t, left, [2][16][24]);
  KVMEND_SHARED(std::uint16_t, right, [2][8][24]);
  const int lane = static_cast<int>(threadIdx.x), g = lane / 4, t = lane % 4;
  const auto load = [&](int buffer, int from) {
    for (int i = lane; i < 32; i += 32)
      prim::copy_async_16(&left[buffer][i / 2][i % 2 * 8], a + i / 2 * k + from + i % 2 * 8);
    if (lane < 16) prim::copy_async_16(&right[buffer][lane / 2][lane % 2 * 8], b + lane / 2 * k + from + lane % 2 * 8);
    prim::copy_async_commit();
  };
  float d[4] = {0, 0, 0, 0};
  load(0, 0);
  for (int from = 0, buffer = 0; from < k; from += 16, buffer ^= 1) {
    if (from + 16 < k) {
      load(buffer ^ 1, from + 16);
      if (bug != Bug::missing_copy_wait) prim::copy_async_wait<1>();
    } else {
      prim::copy_async_wait<0>();
    }
    __syncthreads();
    const auto word = [](const std::uint16_t* p) { return *reinterpret_cast<const std::uint32_t*>(p); };
    std::uint32_t x[4];
    prim::load_matrices(x, &left[buffer][lane % 16][lane / 16 * 8]);
    if (bug == Bug::wrong_fragment) std::swap(x[1], x[2]);
    const std::uint32_t y[2] = {word(&right[buffer][g][2 * t]), word(&right[buffer][g][2 * t + 8])};
    prim::mma_bf16(d, x, y);
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

template <Bug bug>
bool run() {
  const Stream stream;
  constexpr int k = 64;
  const auto rounded = [](const std::vector<float>& values) {
    std::vector<bf16> out;
    for (const float v : values) out.push_back(__float2bfloat16(v));
    return out;
  };
  const std::vector<bf16> a = rounded(random_values(16 * k, 3)), b = rounded(random_values(8 * k, 4));
  std::vector<float> expected(16 * 8);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j)
      for (int x = 0; x < k; ++x)
        expected[i * 8 + j] += __bfloat162float(a[i * k + x]) * __bfloat162float(b[j * k + x]);
  const Array<bf16> left(a, stream), right(b, stream);
  const Array<float> out(expected.size(), stream);
  (void)KVMEND_LAUNCH(product<bug>, 1, 32, 0, stream, out.get(), left.get(), right.get(), k);
  return close(out.download(), expected, 1e-4F);
}

}  // namespace

const std::vector<Mutant>& gemm_mutants() {
  static const std::vector<Mutant> all{
      {"product", run<Bug::none>},
      {"product: missing wait for a copy", run<Bug::missing_copy_wait>},
      {"product: swapped fragments", run<Bug::wrong_fragment>},
  };
  return all;
}

}  // namespace mutants
