// What a layer does beside attention: norms, rotation, activations.
#include <fmt/format.h>

#include "selftest/cases.h"

namespace kvmend::selftest {

namespace {

constexpr float kEpsilon = 1e-5F;

Prepared norm(Workbench& w, std::int64_t rows, std::int64_t size, int groups) {
  const Tensor x = w.values(rows, size * groups, 1, DType::f32, 3), weight = w.values(1, size, 2);
  const Tensor out = w.blank(rows, size * groups);
  return {[=, &w] { w.queue->rms_norm(out, x, weight, kEpsilon, groups); }, out};
}

Prepared rotated(Workbench& w, int head_dim, int rotary, DType to) {
  const std::int64_t rows = w.sizes.rows, cols = static_cast<std::int64_t>(w.sizes.kv_heads) * head_dim;
  // Rotations need no true angles to be compared.
  const Tensor x = w.values(rows, cols, 1), angles = w.values(rows, rotary, 2, DType::f32, 0.5F);
  const Tensor at = w.indices(rows, rows), out = w.blank(rows, cols, to);
  return {[=, &w] { w.queue->rope(out, x, at, angles, head_dim); }, out};
}

Case activation(const char* name, Activation function, bool gated) {
  return {.name = fmt::format("{} {}", gated ? "gated" : "activate", name),
          .kind = OpKind::sum,
          .prepare = [=](Workbench& w) -> Prepared {
            const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
            const Tensor gate = w.values(rows, width, 1, DType::f32, 4), out = w.blank(rows, width);
            if (!gated) return {[=, &w] { w.queue->activate(out, gate, function); }, out};
            const Tensor up = w.values(rows, width, 2);
            return {[=, &w] { w.queue->gated(out, gate, up, function); }, out};
          }};
}

}  // namespace

std::vector<Case> layer_cases() {
  std::vector<Case> cases{
      {.name = "rms_norm",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) { return norm(w, w.sizes.rows, w.sizes.width, 1); }},
      {.name = "rms_norm, by head",
       .kind = OpKind::sum,
       .prepare =
           [](Workbench& w) {
             return norm(w, w.sizes.rows, w.sizes.head_dim, static_cast<int>(w.sizes.width) / w.sizes.head_dim);
           }},
      {.name = "rms_norm, odd columns",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) { return norm(w, 5, 301, 1); },
       .timed = false},
      {.name = "layer_norm",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) -> Prepared {
         const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
         const Tensor x = w.values(rows, width, 1, DType::f32, 3), scale = w.values(1, width, 2);
         const Tensor bias = w.values(1, width, 3), out = w.blank(rows, width);
         return {[=, &w] { w.queue->layer_norm(out, x, scale, bias, kEpsilon); }, out};
       }},
      {.name = "rope",
       .kind = OpKind::rotation,
       .prepare = [](Workbench& w) { return rotated(w, w.sizes.head_dim, w.sizes.head_dim, w.compute()); }},
      {.name = "rope, part of a head",
       .kind = OpKind::rotation,
       .prepare = [](Workbench& w) { return rotated(w, 80, 32, DType::f32); },
       .timed = false},
      activation("silu", Activation::silu, true),
      activation("gelu", Activation::gelu, true),
      activation("gelu_tanh", Activation::gelu_tanh, false),
      {.name = "add",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const Tensor x = w.values(w.sizes.rows, w.sizes.width, 1), out = w.values(w.sizes.rows, w.sizes.width, 2);
         return {[=, &w] { w.queue->add(out, x); }, out};
       }},
  };
  return cases;
}

}  // namespace kvmend::selftest
