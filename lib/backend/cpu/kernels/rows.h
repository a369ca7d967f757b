#pragma once
// Kernels that work on rows: norms, rotation, activation, conversion, sums.
#include "backend/cpu/kernels/exp.h"
#include "backend/cpu/kernels/kernels.h"

namespace kvmend::KVMEND_LEVEL {

/// Calls body(element offset, count) for whole vectors and once for what is left.
template <class Whole, class Part>
static inline void for_vectors(std::int64_t n, const Whole& whole, const Part& part) {
  std::int64_t c = 0;
  for (; c + kLanes <= n; c += kLanes) whole(c);
  if (c < n) part(c, n - c);
}

/// Applies f to each vector of a row: out[c] = f(x[c]).
template <class F, class In, class Out>
static inline void map_row(Out* out, const In* x, std::int64_t n, const F& f) {
  for_vectors(
      n, [&](std::int64_t c) { store(out + c, f(load(x + c))); },
      [&](std::int64_t c, std::int64_t rest) { store_part(out + c, f(load_part(x + c, rest)), rest); });
}

/// Σ f(x[c]) with f(0) = 0, in four partial sums so that additions do not wait for each other.
template <class F>
static inline float sum_row(const float* x, std::int64_t n, const F& f) {
  Vec sum[4];
  for (Vec& s : sum) s = Vec{};
  std::int64_t c = 0;
  for (; c + 4 * kLanes <= n; c += 4 * kLanes)
    for (int u = 0; u < 4; ++u) sum[u] += f(load(x + c + u * kLanes));
  for (; c + kLanes <= n; c += kLanes) sum[0] += f(load(x + c));
  if (c < n) sum[1] += f(load_part(x + c, n - c));
  return sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static void norm(const NormArgs& a, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<float>(a.size);
  for (std::int64_t r = begin; r < end; ++r)
    for (int g = 0; g < a.groups; ++g) {
      const float* x = a.x + r * a.x_stride + g * a.size;
      float* out = a.out + r * a.out_stride + g * a.size;
      const float mean = a.center ? sum_row(x, a.size, [](Vec v) { return v; }) / size : 0.0F;
      float squares = 0;
      if (a.center) {
        map_row(out, x, a.size, [mean](Vec v) { return v - mean; });
        squares = sum_row(out, a.size, [](Vec v) { return v * v; });
        x = out;
      } else {
        squares = sum_row(x, a.size, [](Vec v) { return v * v; });
      }
      const float scale = 1.0F / __builtin_sqrtf(squares / size + a.eps);
      const auto element = [&](Vec v, Vec w, Vec b) {
        return a.bias != nullptr ? fma(v * scale, w, b) : v * scale * w;
      };
      const float* bias = a.bias != nullptr ? a.bias : a.weight;
      for_vectors(
          a.size, [&](std::int64_t c) { store(out + c, element(load(x + c), load(a.weight + c), load(bias + c))); },
          [&](std::int64_t c, std::int64_t n) {
            store_part(out + c, element(load_part(x + c, n), load_part(a.weight + c, n), load_part(bias + c, n)), n);
          });
    }
}

template <class In, class Out>
static inline void rope_row(const In* x, Out* out, const float* angles, const RopeArgs& a) {
  const std::int64_t half = a.rotary / 2;
  const float *cosine = angles, *sine = angles + half;
  for (std::int64_t h = 0; h < a.heads; ++h, x += a.head_dim, out += a.head_dim) {
    for_vectors(
        half,
        [&](std::int64_t c) {
          const Vec low = load(x + c), high = load(x + half + c), co = load(cosine + c), si = load(sine + c);
          store(out + c, low * co - high * si);
          store(out + half + c, high * co + low * si);
        },
        [&](std::int64_t c, std::int64_t n) {
          const Vec low = load_part(x + c, n), high = load_part(x + half + c, n);
          const Vec co = load_part(cosine + c, n), si = load_part(sine + c, n);
          store_part(out + c, low * co - high * si, n);
          store_part(out + half + c, high * co + low * si, n);
        });
    map_row(out + a.rotary, x + a.rotary, a.head_dim - a.rotary, [](Vec v) { return v; });
  }
}

/// Calls body with typed pointers to row r of `rows`.
template <class Body>
static inline void with_row(const RealRows& rows, std::int64_t r, const Body& body) {
  if (rows.bf16)
    body(static_cast<std::uint16_t*>(rows.data) + r * rows.stride);
  else
    body(static_cast<float*>(rows.data) + r * rows.stride);
}

static void rope(const RopeArgs& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r)
    with_row(a.x, r, [&](auto* x) {
      with_row(a.out, r, [&](auto* out) { rope_row(x, out, a.table + a.positions[r] * a.table_stride, a); });
    });
}

template <class F>
static inline void gated_rows(const GatedArgs& a, std::int64_t begin, std::int64_t end, const F& f) {
  for (std::int64_t r = begin; r < end; ++r) {
    const float* gate = a.gate + r * a.gate_stride;
    float* out = a.out + r * a.out_stride;
    if (a.up == nullptr) {
      map_row(out, gate, a.cols, f);
      continue;
    }
    const float* up = a.up + r * a.up_stride;
    for_vectors(
        a.cols, [&](std::int64_t c) { store(out + c, f(load(gate + c)) * load(up + c)); },
        [&](std::int64_t c, std::int64_t n) {
          store_part(out + c, f(load_part(gate + c, n)) * load_part(up + c, n), n);
        });
  }
}

static void gated(const GatedArgs& a, std::int64_t begin, std::int64_t end) {
  constexpr float sqrt_2_over_pi = 0.79788456080286535588F, sqrt_half = 0.70710678118654752440F;
  switch (a.activation) {
    case Activation::silu: return gated_rows(a, begin, end, [](Vec x) { return x * sigmoid(x); });
    case Activation::gelu_tanh:
      return gated_rows(a, begin, end,
                        [](Vec x) { return 0.5F * x * (1.0F + tanh(sqrt_2_over_pi * (x + 0.044715F * x * x * x))); });
    case Activation::gelu:
      return gated_rows(a, begin, end, [](Vec x) { return 0.5F * x * (1.0F + erf(x * sqrt_half)); });
  }
}

static void convert(const ConvertArgs& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r)
    with_row(a.from, a.index != nullptr ? a.index[r] : r, [&](auto* from) {
      with_row(a.to, r, [&](auto* to) {
        if (a.round)
          map_row(to, from, a.cols, [](Vec v) { return round_bf16(v); });
        else if (a.scale != 1)
          map_row(to, from, a.cols, [&](Vec v) { return v * a.scale; });
        else
          map_row(to, from, a.cols, [](Vec v) { return v; });
      });
    });
}

static void add(const AddArgs& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r) {
    float* out = a.out + r * a.out_stride;
    const float* x = a.x + r * a.x_stride;
    for_vectors(
        a.cols, [&](std::int64_t c) { store(out + c, load(out + c) + load(x + c)); },
        [&](std::int64_t c, std::int64_t n) { store_part(out + c, load_part(out + c, n) + load_part(x + c, n), n); });
  }
}

static void deviation(const DeviationArgs& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r)
    with_row(a.a, r, [&](auto* x) {
      const auto sum = [&](auto difference) {
        Vec total = {};
        for_vectors(
            a.cols,
            [&](std::int64_t c) {
              const Vec d = difference(c, kLanes);
              total = fma(d, d, total);
            },
            [&](std::int64_t c, std::int64_t n) {
              const Vec d = difference(c, n);
              total = fma(d, d, total);
            });
        a.out[r * a.out_stride] = sum_lanes(total);
      };
      const auto element = [](const auto* row, std::int64_t c, std::int64_t n) {
        return n == kLanes ? load(row + c) : load_part(row + c, n);
      };
      if (a.b.data == nullptr) return sum([&](std::int64_t c, std::int64_t n) { return element(x, c, n); });
      with_row(a.b, r, [&](auto* y) {
        sum([&](std::int64_t c, std::int64_t n) { return element(x, c, n) - element(y, c, n); });
      });
    });
}

static void argmax(const ArgmaxArgs& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t r = begin; r < end; ++r) {
    const float* x = a.x + r * a.x_stride;
    Vec top = splat(x[0]);
    std::int64_t c = 0;
    for (; c + kLanes <= a.cols; c += kLanes) top = max(load(x + c), top);
    float best = max_lanes(top);
    for (; c < a.cols; ++c) best = x[c] > best ? x[c] : best;
    std::int64_t at = 0;
    while (at < a.cols && x[at] != best) ++at;
    a.out[r * a.out_stride] = static_cast<std::int32_t>(at < a.cols ? at : 0);  // a row of NaNs: the first
  }
}

}  // namespace kvmend::KVMEND_LEVEL
