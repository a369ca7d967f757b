// x86-64-v4 with AVX-512 BF16 and AMX: products of bf16 on tiles, attention on vectors of pairs.
#if defined(__x86_64__)
#define KVMEND_LEVEL v4_tiles
#define KVMEND_LEVEL_NAME "x86-64-v4 with bf16 tiles"
#include "backend/cpu/kernels/level.h"
#endif
