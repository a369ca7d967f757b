#pragma once
// The twins of prim's inline PTX, from the fragment layouts that the PTX manual documents.
#include <limits>

#include "device_functions.h"

namespace prim {

/// 2^x, 0 where that is below the smallest normal number: PTX ex2.approx.ftz.f32.
inline float exp2_flushed(float x) {
  const float power = std::exp2(x);
  return power < std::numeric_limits<float>::min() ? 0.0F : power;
}

/// D (16×8, float32) += A (16×16, bf16, row) · B (16×8, bf16, column): PTX mma.sync.m16n8k16. With lane = 4·g + t,
/// register r of A holds elements (g + 8·(r mod 2), 2·t + 8·(r / 2) + {0, 1}), register r of B
/// (2·t + 8·r + {0, 1}, g), value i of D (g + 8·(i / 2), 2·t + i mod 2).
inline void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], SIMT_HERE) {
  struct Operands {
    std::uint32_t a[4], b[2];
  } mine;
  std::memcpy(mine.a, a, sizeof mine.a);
  std::memcpy(mine.b, b, sizeof mine.b);
  simt::Rendezvous& meeting = simt::meet(0xffffffffU, simt::Collective::mma, 0, &mine, sizeof mine, SIMT_SITE);
  {
    const simt::Unwatched unwatched;
    const int g = static_cast<int>(simt::current->lane) / 4, t = static_cast<int>(simt::current->lane) % 4;
    const auto operands = [&](int lane) { return reinterpret_cast<const Operands*>(meeting.value[lane]); };
    const auto low = [](std::uint32_t pair) { return std::bit_cast<float>(pair << 16U); };
    const auto high = [](std::uint32_t pair) { return std::bit_cast<float>(pair & 0xffff0000U); };
    for (int i = 0; i < 4; ++i) {
      const int row = i / 2, column = 2 * t + i % 2;
      float sum = 0;
      for (int half = 0; half < 2; ++half)
        for (int pair = 0; pair < 4; ++pair) {
          const std::uint32_t x = operands(4 * g + pair)->a[row + 2 * half];
          const std::uint32_t y = operands(4 * column + pair)->b[half];
          sum += low(x) * low(y) + high(x) * high(y);
        }
      d[i] += sum;
    }
  }
  simt::leave(meeting);
}

namespace detail {

/// ldmatrix: four 8×8 matrices of 16-bit elements; lane 8·m + r brings the address of row r of matrix m.
inline void load_matrices(std::uint32_t (&out)[4], const void* row, bool transposed, simt::Site site) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) simt::trap("ldmatrix: a row that is not aligned to 16 bytes");
  unsigned char values[16];
  std::memcpy(values, row, 16);
  simt::Rendezvous& meeting =
      simt::meet(0xffffffffU, simt::Collective::load_matrix, transposed ? 1 : 0, values, 16, site);
  {
    const simt::Unwatched unwatched;
    const unsigned g = simt::current->lane / 4, t = simt::current->lane % 4;
    const auto element = [&](unsigned matrix, unsigned r, unsigned c) {
      std::uint16_t bits;
      std::memcpy(&bits, meeting.value[8 * matrix + r] + 2 * c, 2);
      return static_cast<std::uint32_t>(bits);
    };
    for (unsigned m = 0; m < 4; ++m)
      out[m] = transposed ? element(m, 2 * t, g) | element(m, 2 * t + 1, g) << 16U
                          : element(m, g, 2 * t) | element(m, g, 2 * t + 1) << 16U;
  }
  simt::leave(meeting);
}

}  // namespace detail

inline void load_matrices(std::uint32_t (&out)[4], const void* row, SIMT_HERE) {
  detail::load_matrices(out, row, false, SIMT_SITE);
}
inline void load_matrices_transposed(std::uint32_t (&out)[4], const void* row, SIMT_HERE) {
  detail::load_matrices(out, row, true, SIMT_SITE);
}

/// cp.async of 16 bytes, of which `bytes` are read and the rest is zero. It lands at the wait: whoever forgets to
/// wait reads poison.
inline void copy_async_16(void* shared, const void* global, unsigned bytes = 16) {
  const simt::Unwatched unwatched;
  if (reinterpret_cast<std::uintptr_t>(shared) % 16 != 0 || reinterpret_cast<std::uintptr_t>(global) % 16 != 0)
    simt::trap("cp.async of 16 bytes: an address that is not aligned to them");
  simt::current->copies.push_back({shared, global, bytes});
}
inline void copy_async_commit() {
  const simt::Unwatched unwatched;
  simt::current->copy_groups.push_back(std::move(simt::current->copies));
  simt::current->copies.clear();
}
/// Waits until at most `left` of this thread's committed groups are under way.
template <int left>
void copy_async_wait() {
  auto& groups = simt::current->copy_groups;
  while (groups.size() > left) {
    for (const simt::PendingCopy& copy : groups.front()) {
      std::memcpy(copy.to, copy.from, copy.bytes);
      std::memset(static_cast<unsigned char*>(copy.to) + copy.bytes, 0, 16 - copy.bytes);
    }
    const simt::Unwatched unwatched;
    groups.erase(groups.begin());
  }
}

}  // namespace prim
