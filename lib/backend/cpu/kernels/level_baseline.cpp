// Every processor of the architecture the program is built for (x86-64: SSE2).
#define KVMEND_LEVEL baseline
#define KVMEND_LEVEL_NAME "baseline"
#include "backend/cpu/kernels/level.h"
