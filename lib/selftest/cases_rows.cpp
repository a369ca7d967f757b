// Moving rows, and reducing them.
#include <fmt/format.h>

#include "selftest/cases.h"

namespace kvmend::selftest {

namespace {

Case conversion(DType from, DType to) {
  return {.name = fmt::format("copy {} to {}", dtype_name(from), dtype_name(to)),
          .kind = OpKind::exact,
          .prepare = [from, to](Workbench& w) -> Prepared {
            const Tensor x = w.values(w.sizes.rows, w.sizes.width, 1, from);
            const Tensor out = w.blank(w.sizes.rows, w.sizes.width, to);
            return {[=, &w] { w.queue->copy(out, x); }, out};
          }};
}

/// Of `ranges` units of about equal size; where there are more than rows some have none.
Prepared mean_change(Workbench& w, std::int64_t rows, std::int64_t width, std::int64_t ranges) {
  const Tensor fresh = w.values(rows, width, 1, w.compute()), old = w.values(rows, width, 2, w.compute());
  const Tensor out = w.blank(ranges, width), bounds = w.backend.allocate(DType::i32, ranges, 2);
  std::vector<std::int32_t> flat;
  for (std::int64_t u = 0; u < ranges; ++u) {
    flat.push_back(static_cast<std::int32_t>(u * rows / ranges));
    flat.push_back(static_cast<std::int32_t>((u + 1) * rows / ranges));
  }
  w.queue->upload(bounds, flat);
  return {[=, &w] { w.queue->mean_change(out, fresh, old, bounds); }, out};
}

}  // namespace

std::vector<Case> row_cases() {
  return {
      {.name = "embed",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
         const Tensor table = w.values(rows, width, 1, w.compute()), ids = w.indices(rows, rows);
         const Tensor out = w.blank(rows, width);
         return {[=, &w] { w.queue->embed(out, table, ids, 3); }, out};
       }},
      conversion(DType::f32, DType::bf16),
      conversion(DType::bf16, DType::f32),
      {.name = "gather_rows",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
         const Tensor x = w.values(rows, width, 1, w.compute()), at = w.indices(rows, rows);
         const Tensor out = w.blank(rows, width, w.compute());
         return {[=, &w] { w.queue->gather_rows(out, x, at); }, out};
       }},
      {.name = "scatter_rows",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
         const Tensor x = w.values(rows, width, 1, w.compute()), at = w.indices(rows, rows);
         const Tensor out = w.blank(rows, width, w.compute());
         return {[=, &w] { w.queue->scatter_rows(out, x, at); }, out};
       }},
      {.name = "gather_rows, odd columns, integers",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const Tensor x = w.indices(13 * 33, 13 * 33), at = w.indices(20, 13), out = w.blank(20, 1, DType::i32);
         return {[=, &w] { w.queue->gather_rows(out, x.row_range(7, 13), at); }, out};
       },
       .timed = false},
      {.name = "row_deviation",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) -> Prepared {
         const std::int64_t rows = w.sizes.rows, width = w.sizes.width;
         const Tensor a = w.values(rows, width, 1, w.compute()), b = w.values(rows, width, 2, w.compute());
         const Tensor out = w.blank(rows, 1);
         return {[=, &w] { w.queue->row_deviation(out, a, b); }, out};
       }},
      {.name = "row_deviation, one side, odd columns",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) -> Prepared {
         const Tensor a = w.values(11, 33, 1, w.compute()), out = w.blank(11, 1);
         return {[=, &w] { w.queue->row_deviation(out, a); }, out};
       },
       .timed = false},
      {.name = "mean_change",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) { return mean_change(w, w.sizes.rows, w.sizes.width, 32); }},
      {.name = "mean_change, odd columns",
       .kind = OpKind::sum,
       .prepare = [](Workbench& w) { return mean_change(w, 11, 131, 17); },
       .timed = false},
      {.name = "argmax",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         // Values repeat: of equal ones the first counts.
         const Tensor x = w.values(w.sizes.cells, w.sizes.vocabulary, 1, DType::bf16);
         const Tensor wide = w.blank(w.sizes.cells, w.sizes.vocabulary), out = w.blank(w.sizes.cells, 1, DType::i32);
         w.queue->copy(wide, x);
         return {[=, &w] { w.queue->argmax(out, wide); }, out};
       },
       .design = {0, 0}},
      {.name = "top_k",
       .kind = OpKind::exact,
       .prepare = [](Workbench& w) -> Prepared {
         const Tensor x = w.values(1, w.sizes.vocabulary, 2, DType::bf16), wide = w.blank(1, w.sizes.vocabulary);
         const Tensor out = w.blank(1, (w.sizes.vocabulary + 4) / 5, DType::i32);
         w.queue->copy(wide, x);
         return {[=, &w] { w.queue->top_k(out, wide); }, out};
       },
       .design = {0, 0}},
  };
}

}  // namespace kvmend::selftest
