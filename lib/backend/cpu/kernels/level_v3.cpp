// x86-64-v3: AVX2 and FMA, eight lanes.
#if defined(__x86_64__)
#define KVMEND_LEVEL v3
#define KVMEND_LEVEL_NAME "x86-64-v3"
#include "backend/cpu/kernels/level.h"
#endif
