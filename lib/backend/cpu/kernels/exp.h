#pragma once
#include "backend/cpu/kernels/simd.h"

namespace kvmend::KVMEND_LEVEL {

// Adding 1.5 · 2^23 rounds to an integer, which the low bits of the sum then hold.
constexpr float kRoundMagic = 12582912.0F;

/// 2^f for f in [−0.5, 0.5]: minimax of the relative error with the constant term fixed at 1; 2.6e-9 before rounding.
static inline Vec exp2_fraction(Vec f) {
  Vec p = splat(1.559467759e-4F);
  p = fma(p, f, splat(1.340664391e-3F));
  p = fma(p, f, splat(9.617692975e-3F));
  p = fma(p, f, splat(5.550310551e-2F));
  p = fma(p, f, splat(2.402265278e-1F));
  p = fma(p, f, splat(6.931472150e-1F));
  return fma(p, f, splat(1.0F));
}

/// 2^n for the n in [−127, 128] that n + kRoundMagic = `shifted` holds; 0 and +inf at the ends.
static inline Vec power_of_two(Vec shifted) { return from_bits((bits_of(shifted) + 127U) << 23); }

/// 2^x for x ≤ 0 within 1.5 units in the last place; 0 below −127, or −150 where the processor scales by powers of two;
/// NaN stays NaN.
static inline Vec exp2_nonpositive(Vec x) {
#if KVMEND_LANES == 16 && defined(__AVX512F__)
  x = max(splat(-160.0F), x);  // in this order a NaN passes
  const Vec whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  return _mm512_scalef_ps(exp2_fraction(x - whole), whole);
#else
  x = max(splat(-127.0F), x);
  const Vec shifted = x + kRoundMagic;
  return exp2_fraction(x - (shifted - kRoundMagic)) * power_of_two(shifted);
#endif
}

/// e^x within 2 units in the last place; 0 below −88, +inf from 88.4; NaN stays NaN.
static inline Vec exp(Vec x) {
  constexpr float log2e = 1.44269504088896341F;
  constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;  // n · ln2_high is exact
  x = max(splat(-88.0F), min(splat(89.0F), x));
  const Vec shifted = x * log2e + kRoundMagic;
  const Vec n = shifted - kRoundMagic;
  const Vec rest = (x - n * ln2_high) - n * ln2_low;
  return exp2_fraction(rest * log2e) * power_of_two(shifted);
}

/// 1 / (1 + e^−x)
static inline Vec sigmoid(Vec x) { return 1.0F / (1.0F + exp(-x)); }

static inline Vec tanh(Vec x) { return 1.0F - 2.0F / (1.0F + exp(2.0F * x)); }

/// Within 3e-7: Abramowitz and Stegun 7.1.26.
static inline Vec erf(Vec x) {
  const Vec a = max(x, -x);
  const Vec t = 1.0F / (1.0F + 0.3275911F * a);
  Vec p = splat(1.061405429F);
  p = fma(p, t, splat(-1.453152027F));
  p = fma(p, t, splat(1.421413741F));
  p = fma(p, t, splat(-0.284496736F));
  p = fma(p, t, splat(0.254829592F));
  const Vec y = 1.0F - p * t * exp(-(a * a));
  return x < 0.0F ? -y : y;
}

}  // namespace kvmend::KVMEND_LEVEL
