#pragma once
// The table of one instruction set: a level_*.cpp file names it (KVMEND_LEVEL, KVMEND_LEVEL_NAME) and includes this;
// its compile flags are set in lib/backend/CMakeLists.txt.
#include "backend/cpu/kernels/attention_pairs.h"
#include "backend/cpu/kernels/decode.h"
#include "backend/cpu/kernels/mass.h"
#include "backend/cpu/kernels/matmul.h"
#include "backend/cpu/kernels/packed_matmul.h"
#include "backend/cpu/kernels/peak.h"
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
    .pairs = kUsesPairs,
    .packed_rows = kTileRows,
    .packed_columns = kPanel,
    .packed_block_words = packed_block_words,
    .pack_rows = pack_rows,
    .pack_panels = pack_panels,
    .multiply_packed = multiply_packed,
    .peak_products = peak_products,
    .sum_memory = sum_memory,
    .attention_keys = kKeys,
    .attention_vectors = kTileRows,
    .attention_columns = kPanel,
    .attention_scratch = attention_scratch,
    .attend = attend_best,
    .merge = merge,
    .finish = finish,
    .decode_scratch = decode_scratch,
    .decode = decode,
    .mass_scratch = mass_scratch,
    .mass = mass,
};

}  // namespace kvmend::KVMEND_LEVEL
