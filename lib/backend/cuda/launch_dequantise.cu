#include "backend/cuda/launch.h"
#include "dequantise.cuh"

namespace kvmend::cuda::launch {

namespace {

using gpu::BlockFormat;

template <BlockFormat format>
cudaError_t run(void* out, DType dtype, const void* blocks, std::int64_t count, cudaStream_t stream) {
  const auto* bytes = static_cast<const gpu::Byte*>(blocks);
  const auto grid = static_cast<unsigned>((count + gpu::kDequantised - 1) / gpu::kDequantised);
  const auto aligned = [](const void* data) { return reinterpret_cast<std::uintptr_t>(data) % 16 == 0; };
  if (!aligned(blocks)) return cudaErrorMisalignedAddress;
  if (dtype == DType::bf16)
    return KVMEND_LAUNCH((gpu::dequantise<format, gpu::bf16>), grid, 256, 0, stream, static_cast<gpu::bf16*>(out),
                         bytes, count, aligned(out));
  return KVMEND_LAUNCH((gpu::dequantise<format, float>), grid, 256, 0, stream, static_cast<float*>(out), bytes, count,
                       aligned(out));
}

}  // namespace

cudaError_t dequantise(void* out, DType dtype, const void* blocks, StoredType type, std::int64_t count,
                       cudaStream_t stream) {
  switch (type) {
    case StoredType::f32: return run<BlockFormat::plain_f32>(out, dtype, blocks, count, stream);
    case StoredType::f16: return run<BlockFormat::plain_f16>(out, dtype, blocks, count, stream);
    case StoredType::bf16: return run<BlockFormat::plain_bf16>(out, dtype, blocks, count, stream);
    case StoredType::q8_0: return run<BlockFormat::q8_0>(out, dtype, blocks, count, stream);
    case StoredType::q4_0: return run<BlockFormat::q4_0>(out, dtype, blocks, count, stream);
    case StoredType::q4_1: return run<BlockFormat::q4_1>(out, dtype, blocks, count, stream);
    case StoredType::q5_0: return run<BlockFormat::q5_0>(out, dtype, blocks, count, stream);
    case StoredType::q5_1: return run<BlockFormat::q5_1>(out, dtype, blocks, count, stream);
    case StoredType::q2_k: return run<BlockFormat::q2_k>(out, dtype, blocks, count, stream);
    case StoredType::q3_k: return run<BlockFormat::q3_k>(out, dtype, blocks, count, stream);
    case StoredType::q4_k: return run<BlockFormat::q4_k>(out, dtype, blocks, count, stream);
    case StoredType::q5_k: return run<BlockFormat::q5_k>(out, dtype, blocks, count, stream);
    case StoredType::q6_k: return run<BlockFormat::q6_k>(out, dtype, blocks, count, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace kvmend::cuda::launch
