// One vector of float32 for the instruction set this file is compiled for. Included only by the level_*.cpp files:
// the same kernels are compiled for several sets, each into a namespace of its own (KVMEND_LEVEL), and one is picked
// at run time. So nothing in this folder's headers may have external linkage outside that namespace: an inline
// function of the standard library compiled for a newer processor could be the copy the linker keeps for everyone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef KVMEND_LANES
#if defined(__AVX512F__)
#define KVMEND_LANES 16
#elif defined(__AVX2__) && defined(__FMA__)
#define KVMEND_LANES 8
#else
#define KVMEND_LANES 4
#endif
#endif

namespace kvmend::KVMEND_LEVEL {

constexpr int kLanes = KVMEND_LANES;
typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t Bits __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t Halves __attribute__((vector_size(kLanes * 2)));

static inline Vec load(const float* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
static inline void store(float* to, Vec v) { __builtin_memcpy(to, &v, sizeof v); }

/// All lanes x. (x − 0 is x, the sign of zero included.)
static inline Vec splat(float x) { return x - Vec{}; }

static inline Bits bits_of(Vec v) { return reinterpret_cast<Bits>(v); }
static inline Vec from_bits(Bits b) { return reinterpret_cast<Vec>(b); }

// ---- arithmetic the language has no operator for -------------------------------------------------------------

/// a·b + c, rounded once where the processor can.
static inline Vec fma(Vec a, Vec b, Vec c) {
#if KVMEND_LANES == 16 && defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif KVMEND_LANES == 8 && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

/// The larger of each lane; b where either is NaN.
static inline Vec max(Vec a, Vec b) {
#if KVMEND_LANES == 16 && defined(__AVX512F__)
  return _mm512_max_ps(a, b);
#elif KVMEND_LANES == 8 && defined(__AVX2__)
  return _mm256_max_ps(a, b);
#elif KVMEND_LANES == 4 && defined(__SSE2__)
  return _mm_max_ps(a, b);
#else
  return a > b ? a : b;
#endif
}

/// The smaller of each lane; b where either is NaN.
static inline Vec min(Vec a, Vec b) { return -max(-a, -b); }

using Lanes = std::make_integer_sequence<int, kLanes>;

template <int H, int... I>
static inline Vec exchanged(Vec v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ H)...);
}

/// Lane i and lane i + n/2 first, then quarters: the same order at every call.
static inline float sum_lanes(Vec v) {
  if constexpr (kLanes >= 16) v += exchanged<8>(v, Lanes{});
  if constexpr (kLanes >= 8) v += exchanged<4>(v, Lanes{});
  v += exchanged<2>(v, Lanes{});
  v += exchanged<1>(v, Lanes{});
  return v[0];
}

static inline float max_lanes(Vec v) {
  if constexpr (kLanes >= 16) v = max(v, exchanged<8>(v, Lanes{}));
  if constexpr (kLanes >= 8) v = max(v, exchanged<4>(v, Lanes{}));
  v = max(v, exchanged<2>(v, Lanes{}));
  v = max(v, exchanged<1>(v, Lanes{}));
  return v[0];
}

// ---- bf16 ----------------------------------------------------------------------------------------------------

static inline Vec load(const std::uint16_t* from) {
  Halves h;
  __builtin_memcpy(&h, from, sizeof h);
  return from_bits(__builtin_convertvector(h, Bits) << 16);
}

/// The nearest bf16 as float32, ties to even; a NaN stays a NaN.
static inline Vec round_bf16(Vec v) {
  const Bits b = bits_of(v);
  const Bits rounded = (b + 0x7fffU + ((b >> 16) & 1U)) & 0xffff0000U;
  return v == v ? from_bits(rounded) : v;  // NOLINT(misc-redundant-expression): false for NaN
}

static inline void store(std::uint16_t* to, Vec v) {
  const Bits quiet = v == v ? Bits{} : Bits{} + 0x400000U;  // NOLINT(misc-redundant-expression): false for NaN
  const Bits b = bits_of(round_bf16(v)) | quiet;
  const Halves h = __builtin_convertvector(b >> 16, Halves);
  __builtin_memcpy(to, &h, sizeof h);
}

/// store() of finite values, as one instruction where the processor has it; there, denormals become zero.
static inline void store_bf16(std::uint16_t* to, Vec v) {
#if KVMEND_LANES == 16 && defined(__AVX512BF16__)
  const __m256bh h = _mm512_cvtneps_pbh(v);
  __builtin_memcpy(to, &h, sizeof h);
#else
  store(to, v);
#endif
}

// ---- pairs of bf16 -------------------------------------------------------------------------------------------

/// Whether the processor multiplies pairs of bf16 itself. Else two fused multiplications do, on any processor.
#if KVMEND_LANES == 16 && defined(__AVX512BF16__)
constexpr bool kNativePairs = true;
#else
constexpr bool kNativePairs = false;
#endif
#if defined(KVMEND_PAIRS)
constexpr bool kUsesPairs = true;  // for tests: the same tiles without the instruction
#else
constexpr bool kUsesPairs = kNativePairs;
#endif

/// 2 · kLanes values rounded to bf16, in their order: lane i holds the values 2i (its low half) and 2i + 1.
static inline Vec pair_words(Vec low, Vec high) {
#if KVMEND_LANES == 16 && defined(__AVX512BF16__)
  return reinterpret_cast<Vec>(_mm512_cvtne2ps_pbh(high, low));
#else
  std::uint16_t halves[2 * kLanes];
  store(halves, low);
  store(halves + kLanes, high);
  Vec words;
  __builtin_memcpy(&words, halves, sizeof words);
  return words;
#endif
}

/// sum + a·b over both halves of each lane.
static inline Vec dot_pairs(Vec a, Vec b, Vec sum) {
#if KVMEND_LANES == 16 && defined(__AVX512BF16__)
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
#else
  const Bits high{Bits{} + 0xffff0000U};
  sum = fma(from_bits(bits_of(a) << 16), from_bits(bits_of(b) << 16), sum);
  return fma(from_bits(bits_of(a) & high), from_bits(bits_of(b) & high), sum);
#endif
}

/// All lanes the word at `from`, whatever it is.
static inline Vec splat_word(const float* from) {
  std::uint32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return from_bits(Bits{} + word);
}

// ---- parts of a vector ---------------------------------------------------------------------------------------

/// The first n < kLanes elements, then `rest`.
template <class T>
static inline Vec load_part(const T* from, std::int64_t n, float rest = 0) {
  T whole[kLanes] = {};
  for (std::int64_t i = 0; i < n; ++i) whole[i] = from[i];
  Vec v = load(whole);
  if (rest != 0)
    for (std::int64_t i = n; i < kLanes; ++i) v[i] = rest;
  return v;
}

template <class T>
static inline void store_part(T* to, Vec v, std::int64_t n) {
  T whole[kLanes];
  store(whole, v);
  for (std::int64_t i = 0; i < n; ++i) to[i] = whole[i];
}

/// As many of kLanes elements as there are, n of any size; 0 in the lanes past them.
template <class T>
static inline Vec load_up_to(const T* from, std::int64_t n) {
  return n >= kLanes ? load(from) : n > 0 ? load_part(from, n) : Vec{};
}

template <class T>
static inline void store_up_to(T* to, Vec v, std::int64_t n) {
  if (n >= kLanes)
    store(to, v);
  else if (n > 0)
    store_part(to, v, n);
}

static inline std::int64_t round_up(std::int64_t value, std::int64_t to) { return (value + to - 1) / to * to; }

}  // namespace kvmend::KVMEND_LEVEL
