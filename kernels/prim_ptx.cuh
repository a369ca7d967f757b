#pragma once
// Instructions that CUDA C++ has no function for. Each has a twin of the same name in tests/simt/emulator/tensor_core.h.
#include <cstdint>

namespace prim {

/// D (16×8, float32) += A (16×16, bf16, row) · B (16×8, bf16, column). With lane = 4·g + t, register r of A holds
/// elements (g + 8·(r mod 2), 2·t + 8·(r / 2) + {0, 1}), register r of B (2·t + 8·r + {0, 1}, g), value i of D
/// (g + 8·(i / 2), 2·t + i mod 2).
__device__ __forceinline__ void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ std::uint32_t shared_address(const void* shared) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
}

/// 2^x within two units of the last place, in one instruction: what is below the smallest normal number is 0.
__device__ __forceinline__ float exp2_flushed(float x) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
}

/// Four 8×8 matrices of 16-bit elements: lane 8·m + r gives the address (16-byte aligned) of row r of matrix m; register
/// m then holds elements (g, 2·t + {0, 1}) of matrix m, or (2·t + {0, 1}, g) where transposed.
__device__ __forceinline__ void load_matrices(std::uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}
__device__ __forceinline__ void load_matrices_transposed(std::uint32_t (&out)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(shared_address(row))
               : "memory");
}

/// 16 bytes to shared memory, of which `bytes` are read and the rest is zero; there after the wait.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, unsigned bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `left` of this thread's committed groups are under way.
template <int left>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(left) : "memory");
}

}  // namespace prim
