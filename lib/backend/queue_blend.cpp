// Operations on few rows that the host does for backends without a kernel of their own.
#include <algorithm>
#include <cmath>

#include "backend/operands.h"
#include "backend/queue.h"
#include "core/error.h"

namespace kvmend {
namespace {

std::vector<float> host_copy(Queue& queue, const Tensor& from) {
  std::vector<float> out(static_cast<std::size_t>(from.rows() * from.cols()));
  queue.download(out, from);
  return out;
}

}  // namespace

void Queue::join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b,
                           const Tensor& lse_b, float scale) {
  const char* op = "join_attention";
  expect_dtype(op, DType::f32, {{"out", out}, {"a", a}, {"lse_a", lse_a}, {"b", b}, {"lse_b", lse_b}});
  expect_same_shape(op, {{"out", out}, {"a", a}, {"b", b}});
  expect_same_shape(op, {{"lse_a", lse_a}, {"lse_b", lse_b}});
  expect(lse_a.rows() == a.rows() && lse_a.cols() > 0 && a.cols() % lse_a.cols() == 0, op, "lse is [rows, heads]",
         {{"a", a}, {"lse_a", lse_a}});
  cost_.bytes += static_cast<double>(out.bytes() + a.bytes() + b.bytes());
  if (out.rows() > 0) do_join_attention(out, a, lse_a, b, lse_b, scale);
}

void Queue::do_join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b,
                              const Tensor& lse_b, float scale) {
  std::vector<float> left = host_copy(*this, a);
  const std::vector<float> left_lse = host_copy(*this, lse_a), right = host_copy(*this, b),
                           right_lse = host_copy(*this, lse_b);
  const std::size_t width = left.size() / left_lse.size();  // a head
  for (std::size_t i = 0; i < left_lse.size(); ++i) {
    // −inf where one side has no key: its weight is exactly 0.
    const float x = left_lse[i] == -INFINITY ? -INFINITY : scale * left_lse[i], y = right_lse[i];
    const float top = std::max(x, y);
    const float ex = top == -INFINITY ? 0.0F : std::exp(x - top), ey = top == -INFINITY ? 0.0F : std::exp(y - top);
    const float sum = ex + ey == 0 ? 1.0F : ex + ey;
    for (std::size_t c = i * width; c < (i + 1) * width; ++c) left[c] = (ex * left[c] + ey * right[c]) / sum;
  }
  upload(out, left);
}

void Queue::blend_rows(const Tensor& to, const Tensor& old) {
  const char* op = "blend_rows";
  expect(to && old && to.dtype() == old.dtype() && to.dtype() != DType::i32, op, "one real dtype",
         {{"to", to}, {"old", old}});
  expect_same_shape(op, {{"to", to}, {"old", old}});
  expect_apart(op, {"to", to}, {{"old", old}});
  cost_.bytes += static_cast<double>(2 * to.bytes() + old.bytes());
  if (to.rows() > 0) do_blend_rows(to, old);
}

void Queue::do_blend_rows(const Tensor& to, const Tensor& old) {
  std::vector<float> fresh = host_copy(*this, to);
  const std::vector<float> cached = host_copy(*this, old);
  const auto width = static_cast<std::size_t>(to.cols());
  for (std::size_t first = 0; first < fresh.size(); first += width) {
    double dot = 0, fresh_square = 0, cached_square = 0;
    for (std::size_t c = first; c < first + width; ++c) {
      dot += static_cast<double>(fresh[c]) * cached[c];
      fresh_square += static_cast<double>(fresh[c]) * fresh[c];
      cached_square += static_cast<double>(cached[c]) * cached[c];
    }
    const double norms = std::sqrt(fresh_square * cached_square);
    const auto theta = static_cast<float>(norms > 0 ? std::max(0.0, dot / norms) : 0.0);
    for (std::size_t c = first; c < first + width; ++c) fresh[c] = theta * fresh[c] + (1 - theta) * cached[c];
  }
  upload(to, fresh);
}

void Queue::mean_change(const Tensor& out, const Tensor& fresh, const Tensor& old, const Tensor& ranges) {
  const char* op = "mean_change";
  expect_dtype(op, DType::f32, {{"out", out}});
  expect_dtype(op, DType::i32, {{"ranges", ranges}});
  expect_same_shape(op, {{"fresh", fresh}, {"old", old}});
  expect(fresh.dtype() == old.dtype() && fresh.dtype() != DType::i32, op, "one real dtype",
         {{"fresh", fresh}, {"old", old}});
  expect(out && out.cols() == fresh.cols(), op, "out.cols = fresh.cols", {{"out", out}, {"fresh", fresh}});
  expect(ranges && ranges.rows() == out.rows() && ranges.cols() == 2 && (ranges.rows() <= 1 || ranges.stride() == 2),
         op, "ranges is [out.rows, 2], dense", {{"out", out}, {"ranges", ranges}});
  expect_apart(op, {"out", out}, {{"fresh", fresh}, {"old", old}, {"ranges", ranges}});
  cost_.bytes += static_cast<double>(out.bytes() + fresh.bytes() + old.bytes());
  if (out.rows() > 0 && out.cols() > 0) do_mean_change(out, fresh, old, ranges);
}

void Queue::do_mean_change(const Tensor& out, const Tensor& fresh, const Tensor& old, const Tensor& ranges) {
  const std::vector<float> now = host_copy(*this, fresh), before = host_copy(*this, old);
  std::vector<std::int32_t> bounds(static_cast<std::size_t>(2 * ranges.rows()));
  download(bounds, ranges);
  const auto width = static_cast<std::size_t>(out.cols());
  std::vector<float> means;
  for (std::size_t u = 0; u < bounds.size(); u += 2) {
    require(bounds[u] >= 0 && bounds[u] <= bounds[u + 1] && bounds[u + 1] <= fresh.rows(),
            "mean_change: range {} is [{}, {}) of {} rows", u / 2, bounds[u], bounds[u + 1], fresh.rows());
    std::vector<double> sum(width);
    for (auto row = static_cast<std::size_t>(bounds[u]); row < static_cast<std::size_t>(bounds[u + 1]); ++row) {
      for (std::size_t c = 0; c < width; ++c)
        sum[c] += static_cast<double>(now[row * width + c]) - before[row * width + c];
    }
    for (const double s : sum) means.push_back(static_cast<float>(s / std::max(1, bounds[u + 1] - bounds[u])));
  }
  upload(out, means);
}

}  // namespace kvmend
