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
#if defined(__AMX_BF16__) || defined(KVMEND_TILES)  // tests ask for tiles in plain arithmetic
#include "backend/cpu/kernels/tile_matmul.h"
#endif

namespace kvmend::KVMEND_LEVEL {

#if defined(__AMX_BF16__) || defined(KVMEND_TILES)
constexpr const PackedProducts* kPackedPairs = &kTileProducts;
static double peak_of(std::int64_t rounds, bool pairs, float* sink) {
  return pairs ? peak_tile_products(rounds, sink) : peak_products(rounds, false, sink);
}
#else
constexpr const PackedProducts* kPackedPairs = kUsesPairs ? &kPackedProducts<true> : nullptr;
static double peak_of(std::int64_t rounds, bool pairs, float* sink) { return peak_products(rounds, pairs, sink); }
#endif

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
    .packed_floats = kPackedProducts<false>,
    .packed_pairs = kPackedPairs,
    .peak_products = peak_of,
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
