// As level_wide.cpp, with products on tiles: what AMX computes, on any processor.
#define KVMEND_LEVEL wide_tiles
#define KVMEND_LEVEL_NAME "wide with tiles"
#define KVMEND_LANES 16
#define KVMEND_PAIRS
#define KVMEND_TILES
#include "backend/cpu/kernels/level.h"
