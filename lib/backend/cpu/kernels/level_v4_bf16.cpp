// x86-64-v4 with AVX-512 BF16: pairs of bf16 are multiplied by the processor.
#if defined(__x86_64__)
#define KVMEND_LEVEL v4_bf16
#define KVMEND_LEVEL_NAME "x86-64-v4 with bf16"
#include "backend/cpu/kernels/level.h"
#endif
