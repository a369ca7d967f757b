#include <vector>

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
    if (has_v4 && __builtin_cpu_supports("avx512bf16")) found.push_back(&v4_bf16::kernels);
#endif
    return found;
  }();
  return levels;
}

}  // namespace kvmend
