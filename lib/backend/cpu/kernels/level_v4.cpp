// x86-64-v4: AVX-512 F, BW, CD, DQ and VL, sixteen lanes.
#if defined(__x86_64__)
#define KVMEND_LEVEL v4
#define KVMEND_LEVEL_NAME "x86-64-v4"
#include "backend/cpu/kernels/level.h"
#endif
