#include <vector>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "backend/cpu/kernels/kernels.h"

namespace kvmend {

namespace baseline {
extern const Kernels kernels;
}
#if defined(__x86_64__)
namespace v3 {
extern const Kernels kernels;
}
namespace v4 {
extern const Kernels kernels;
}
namespace v4_bf16 {
extern const Kernels kernels;
}
namespace v4_tiles {
extern const Kernels kernels;
}

namespace {

/// Whether there are tile registers that multiply bf16, and the system lets this process use them: their state is large,
/// so Linux wants to be asked (from 5.16 on).
bool may_use_tiles() {
#if defined(__linux__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned bf16_and_tiles = (1U << 22U) | (1U << 24U);  // leaf 7: EDX
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & bf16_and_tiles) != bf16_and_tiles) return false;
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace
#endif

std::span<const Kernels* const> available_kernels() {
  static const std::vector<const Kernels*> levels = [] {
    std::vector<const Kernels*> found{&baseline::kernels};
#if defined(__x86_64__)
    const bool has_v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
    if (has_v3) found.push_back(&v3::kernels);
    if (has_v4) found.push_back(&v4::kernels);
    const bool has_bf16 = has_v4 && __builtin_cpu_supports("avx512bf16");
    if (has_bf16) found.push_back(&v4_bf16::kernels);
    if (has_bf16 && may_use_tiles()) found.push_back(&v4_tiles::kernels);
#endif
    return found;
  }();
  return levels;
}

}  // namespace kvmend
