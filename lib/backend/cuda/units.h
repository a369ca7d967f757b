#pragma once
#include <string_view>

namespace kvmend::cuda {

/// FLOPs that a multiprocessor does a clock: float32 on CUDA cores, dense bf16 with float32 sums on tensor cores.
struct Units {
  double float32 = 0, bf16 = 0;
};

/// Of a card's compute capability (80 for 8.0) and name. From the white papers and data sheets: A100 (312 TFLOP/s bf16), A10
/// (125), A40 (150), L40S (362), H100 (989), B200 (2250), RTX PRO 6000 Blackwell (504). A GeForce sums in float32 at half the
/// rate of the other cards with its chip (RTX 3090 71, RTX 4090 165). A capability not listed counts as the newest listed
/// below it.
constexpr Units units_of(int capability, std::string_view name) {
  struct Listed {
    int capability;
    Units units;
    bool halved_for_geforce;
  };
  constexpr Listed kListed[] = {{80, {128, 2048}, false}, {86, {256, 1024}, true},  {87, {256, 1024}, false},
                                {89, {256, 1024}, true},  {90, {256, 4096}, false}, {100, {256, 8192}, false},
                                {120, {256, 1024}, true}};
  Listed found = kListed[0];
  for (const Listed& listed : kListed)
    if (listed.capability <= capability) found = listed;
  if (found.halved_for_geforce && name.find("GeForce") != std::string_view::npos) found.units.bf16 /= 2;
  return found.units;
}

}  // namespace kvmend::cuda
