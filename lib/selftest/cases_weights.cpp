// Products, and the types that weights are stored in.
#include <fmt/format.h>

#include "selftest/cases.h"

namespace kvmend::selftest {

namespace {

Prepared product(Workbench& w, std::int64_t rows, StoredType type, DType to) {
  const WeightPtr weight = w.weight(w.sizes.outer, w.sizes.inner, type);
  const Tensor x = w.values(rows, w.sizes.inner, 1), out = w.blank(rows, w.sizes.outer, to);
  return {[=, &w] { w.queue->matmul(out, x, *weight); }, out};
}

/// One row times a matrix that a card keeps as the file stores it: nearly all of the time goes to dequantising it.
Prepared stored_product(Workbench& w, StoredType type) {
  // As for a model that fits in no other way; what comes after is prepared as usual again.
  const DeviceMemory memory = w.backend.memory();
  w.backend.expect_weights(
      {.elements = memory.free, .stored_bytes = 1, .largest_elements = w.sizes.outer * w.sizes.inner});
  Prepared prepared = product(w, 1, type, DType::f32);
  w.backend.expect_weights({.elements = 1, .stored_bytes = 1, .largest_elements = 1});
  return prepared;
}

}  // namespace

std::vector<Case> weight_cases() {
  std::vector<Case> cases{
      {.name = "matmul",
       .kind = OpKind::product,
       .prepare = [](Workbench& w) { return product(w, w.sizes.tokens, StoredType::f32, DType::f32); },
       .design = {0.7, 0.7}},
      {.name = "matmul, decoding",
       .kind = OpKind::product,
       .prepare = [](Workbench& w) { return product(w, w.sizes.cells, StoredType::f32, DType::f32); }},
      {.name = "matmul, Q4_K",
       .kind = OpKind::product,
       .prepare = [](Workbench& w) { return product(w, w.sizes.tokens, StoredType::q4_k, DType::f32); },
       .design = {0.6, 0.6}},
      {.name = "matmul to the cache's type",
       .kind = OpKind::product,
       .prepare = [](Workbench& w) { return product(w, w.sizes.tokens, StoredType::f32, w.compute()); },
       .timed = false},
      {.name = "matmul, bias, added",
       .kind = OpKind::product,
       .prepare = [](Workbench& w) -> Prepared {
         const WeightPtr weight = w.weight(31, 160, StoredType::f32);
         const Tensor x = w.values(9, 160, 1), bias = w.values(1, 31, 2), out = w.values(9, 31, 3);
         return {[=, &w] { w.queue->matmul(out, x, *weight, {bias, true}); }, out};
       },
       .timed = false}};
  // Read as stored, written, and read by the product, whose operand alone is counted: with both at 75 % of
  // bandwidth that leaves about a third.
  for (const StoredType type : {StoredType::q4_k, StoredType::q6_k}) {
    cases.push_back({.name = fmt::format("dequantise {} for a row's product", stored_type_name(type)),
                     .kind = OpKind::product,
                     .prepare = [type](Workbench& w) { return stored_product(w, type); },
                     .design = {0.33, 0.31}});
  }
  for (int t = 0; t <= static_cast<int>(StoredType::q6_k); ++t) {
    const auto type = static_cast<StoredType>(t);
    cases.push_back({.name = fmt::format("dequantise {}", stored_type_name(type)),
                     .kind = OpKind::exact,
                     .prepare = [type](Workbench& w) -> Prepared {
                       const Tensor table = w.table(7, 512, type), at = w.indices(7, 7), out = w.blank(7, 512);
                       return {[=, &w] { w.queue->embed(out, table, at); }, out};
                     },
                     .timed = false});
  }
  return cases;
}

}  // namespace kvmend::selftest
