// The largest elements of rows: checks, cost, and the definition, which the host computes for backends without a kernel.
#include <algorithm>
#include <numeric>

#include "backend/operands.h"
#include "backend/queue.h"
#include "core/error.h"

namespace kvmend {

void Queue::top_k(const Tensor& out, const Tensor& x) {
  const char* op = "top_k";
  expect_dtype(op, DType::f32, {{"x", x}});
  expect_dtype(op, DType::i32, {{"out", out}});
  expect(x && out && out.rows() == x.rows() && out.cols() > 0 && out.cols() <= x.cols() &&
             (out.rows() <= 1 || out.stride() == out.cols()),
         op, "out is [x.rows, k], dense, with 0 < k <= x.cols", {{"out", out}, {"x", x}});
  cost_.bytes += static_cast<double>(out.bytes() + x.bytes());
  if (out.rows() > 0) do_top_k(out, x);
}

void Queue::do_top_k(const Tensor& out, const Tensor& x) {
  const auto n = static_cast<std::size_t>(x.cols()), k = static_cast<std::size_t>(out.cols());
  std::vector<float> values(static_cast<std::size_t>(x.rows()) * n);
  download(values, x);
  std::vector<std::int32_t> indices, order(n);
  for (auto row = values.begin(); row != values.end(); row += static_cast<std::ptrdiff_t>(n)) {
    std::iota(order.begin(), order.end(), 0);
    const auto best = order.begin() + static_cast<std::ptrdiff_t>(k);
    std::partial_sort(order.begin(), best, order.end(),
                      [&](std::int32_t a, std::int32_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    std::sort(order.begin(), best);
    indices.insert(indices.end(), order.begin(), best);
  }
  upload(out, indices);
}

}  // namespace kvmend
