#pragma once
// The table of one instruction set: a level_*.cpp file names it (KVMEND_LEVEL, KVMEND_LEVEL_NAME) and includes this;
// its compile flags are set in lib/backend/CMakeLists.txt.
#include "backend/cpu/kernels/matmul.h"
#include "backend/cpu/kernels/rows.h"

namespace kvmend::KVMEND_LEVEL {

extern const Kernels kernels;
const Kernels kernels = {
    .name = KVMEND_LEVEL_NAME,
    .lanes = kLanes,
    .norm = norm,
    .rope = rope,
    .gated = gated,
    .convert = convert,
    .add = add,
    .deviation = deviation,
    .argmax = argmax,
    .matmul = matmul,
    .matmul_scratch = kMatmulScratch,
    .matmul_columns = kPanels * kPanel,
};

}  // namespace kvmend::KVMEND_LEVEL
