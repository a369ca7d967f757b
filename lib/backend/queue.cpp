// The checks and the cost of every operation, once for all backends.
#include <chrono>

#include "backend/operands.h"
#include "backend/queue.h"
#include "core/error.h"

namespace kvmend {

namespace {

bool is_real(const Tensor& t) { return t && t.dtype() != DType::i32; }

bool is_dense(const Tensor& t) { return t && (t.rows() <= 1 || t.stride() == t.cols()); }

/// Bytes of operands that are there.
double bytes_of(std::initializer_list<const Tensor*> tensors) {
  double bytes = 0;
  for (const Tensor* t : tensors)
    if (*t) bytes += static_cast<double>(t->bytes());
  return bytes;
}

/// Of a queue that is waited for at each mark.
struct ClockMark final : Queue::Mark {
  const std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
};

}  // namespace

Queue::MarkPtr Queue::mark() {
  finish();
  return std::make_shared<ClockMark>();
}

double Queue::seconds_between(const Mark& from, const Mark& to) const {
  const auto time = [](const Mark& mark) { return dynamic_cast<const ClockMark&>(mark).time; };
  return std::chrono::duration<double>(time(to) - time(from)).count();
}

void Queue::upload(const Tensor& to, std::span<const float> from) {
  expect(is_real(to) && static_cast<std::int64_t>(from.size()) == to.rows() * to.cols(), "upload",
         "a real tensor of as many elements as the host has", {{"to", to}});
  do_upload(to, from);
}

void Queue::upload(const Tensor& to, std::span<const std::int32_t> from) {
  expect_dtype("upload", DType::i32, {{"to", to}});
  expect(to && static_cast<std::int64_t>(from.size()) == to.rows() * to.cols(), "upload",
         "an i32 tensor of as many elements as the host has", {{"to", to}});
  do_upload(to, from);
}

void Queue::download(std::span<float> to, const Tensor& from) {
  expect(is_real(from) && static_cast<std::int64_t>(to.size()) == from.rows() * from.cols(), "download",
         "a real tensor of as many elements as the host wants", {{"from", from}});
  do_download(to, from);
}

void Queue::download(std::span<std::int32_t> to, const Tensor& from) {
  expect_dtype("download", DType::i32, {{"from", from}});
  expect(from && static_cast<std::int64_t>(to.size()) == from.rows() * from.cols(), "download",
         "an i32 tensor of as many elements as the host wants", {{"from", from}});
  do_download(to, from);
}

void Queue::download_raw(std::span<std::byte> to, const Tensor& from) {
  expect(is_dense(from) && static_cast<std::int64_t>(to.size()) == from.bytes(), "download_raw",
         "a dense tensor of as many bytes as the host wants", {{"from", from}});
  do_download_raw(to, from);
}

void Queue::upload_raw(const Tensor& to, std::span<const std::byte> from) {
  expect(is_dense(to) && static_cast<std::int64_t>(from.size()) == to.bytes(), "upload_raw",
         "a dense tensor of as many bytes as the host has", {{"to", to}});
  do_upload_raw(to, from);
}

Visibility Queue::visibility(std::span<const Visibility::Interval> intervals) {
  Visibility visible;
  visible.rows = static_cast<std::int64_t>(intervals.size());
  std::vector<std::int32_t> flat;
  flat.reserve(intervals.size() * 2);
  for (const auto& [begin, end] : intervals) {
    require(begin >= 0 && begin <= end, "visibility: row {} sees [{}, {})", flat.size() / 2, begin, end);
    flat.push_back(begin);
    flat.push_back(end);
    visible.pairs += end - begin;
    if (end > begin) visible.max_end = std::max(visible.max_end, end);
  }
  visible.intervals = do_allocate(DType::i32, visible.rows, 2);
  do_upload(visible.intervals, std::span<const std::int32_t>(flat));
  return visible;
}

// ---- rows ----------------------------------------------------------------------------------------------------

void Queue::embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) {
  expect_dtype("embed", DType::f32, {{"out", out}});
  expect(out && is_real(table) && out.cols() == table.cols(), "embed", "out.cols = table.cols",
         {{"out", out}, {"table", table}});
  expect_indices("embed", {"ids", ids}, out.rows());
  expect_apart("embed", {"out", out}, {{"table", table}});
  cost_ += {0, 2 * bytes_of({&out})};
  if (out.rows() > 0) do_embed(out, table, ids, scale);
}

void Queue::copy(const Tensor& to, const Tensor& from) {
  expect(to && from && is_real(to) == is_real(from), "copy", "both real or both i32", {{"to", to}, {"from", from}});
  expect_same_shape("copy", {{"to", to}, {"from", from}});
  expect_apart("copy", {"to", to}, {{"from", from}});
  cost_ += {0, bytes_of({&to, &from})};
  if (to.rows() > 0) do_copy(to, from);
}

void Queue::gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  expect(out && x && out.dtype() == x.dtype() && out.cols() == x.cols(), "gather_rows",
         "one dtype and out.cols = x.cols", {{"out", out}, {"x", x}});
  expect_indices("gather_rows", {"indices", indices}, out.rows());
  expect_apart("gather_rows", {"out", out}, {{"x", x}, {"indices", indices}});
  cost_ += {0, 2 * bytes_of({&out})};
  if (out.rows() > 0) do_gather_rows(out, x, indices);
}

void Queue::scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  expect(out && x && out.dtype() == x.dtype() && out.cols() == x.cols(), "scatter_rows",
         "one dtype and out.cols = x.cols", {{"out", out}, {"x", x}});
  expect_indices("scatter_rows", {"indices", indices}, x.rows());
  expect_apart("scatter_rows", {"out", out}, {{"x", x}, {"indices", indices}});
  cost_ += {0, 2 * bytes_of({&x})};
  if (x.rows() > 0) do_scatter_rows(out, x, indices);
}

// ---- layers --------------------------------------------------------------------------------------------------

void Queue::rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) {
  expect_dtype("rms_norm", DType::f32, {{"out", out}, {"x", x}, {"weight", weight}});
  expect_same_shape("rms_norm", {{"out", out}, {"x", x}});
  expect(groups > 0 && weight && weight.rows() == 1 && weight.cols() * groups == x.cols(), "rms_norm",
         "weight is [1, cols / groups]", {{"x", x}, {"weight", weight}});
  expect_same_or_apart("rms_norm", {"out", out}, {{"x", x}});
  cost_ += {0, bytes_of({&out, &x, &weight})};
  if (out.rows() > 0) do_rms_norm(out, x, weight, eps, groups);
}

void Queue::layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  expect_dtype("layer_norm", DType::f32, {{"out", out}, {"x", x}, {"weight", weight}, {"bias", bias}});
  expect_same_shape("layer_norm", {{"out", out}, {"x", x}});
  expect(weight && weight.rows() == 1 && weight.cols() == x.cols(), "layer_norm", "weight is [1, cols]",
         {{"x", x}, {"weight", weight}});
  expect(!bias || (bias.rows() == 1 && bias.cols() == x.cols()), "layer_norm", "bias is [1, cols]",
         {{"x", x}, {"bias", bias}});
  expect_same_or_apart("layer_norm", {"out", out}, {{"x", x}});
  cost_ += {0, bytes_of({&out, &x, &weight, &bias})};
  if (out.rows() > 0) do_layer_norm(out, x, weight, bias, eps);
}

void Queue::matmul(const Tensor& out, const Tensor& x, const Weight& weight, const MatmulOptions& options) {
  expect_dtype("matmul", DType::f32, {{"x", x}, {"bias", options.bias}});
  expect(x && is_real(out) && out.rows() == x.rows(), "matmul", "out.rows = x.rows", {{"out", out}, {"x", x}});
  if (x.cols() != weight.cols || out.cols() != weight.rows)
    fail(ErrorKind::internal, "matmul: x [m, {}] and out [m, {}] for this weight; got x {}, out {}", weight.cols,
         weight.rows, describe(x), describe(out));
  expect(!options.bias || (options.bias.rows() == 1 && options.bias.cols() == out.cols()), "matmul",
         "bias is [1, out.cols]", {{"out", out}, {"bias", options.bias}});
  expect(!options.accumulate || out.dtype() == DType::f32, "matmul", "only float32 accumulates", {{"out", out}});
  expect_apart("matmul", {"out", out}, {{"x", x}, {"bias", options.bias}});
  const double m = static_cast<double>(x.rows()), n = static_cast<double>(out.cols()),
               k = static_cast<double>(x.cols());
  cost_ += {2 * m * n * k, bytes_of({&out, &x, &options.bias}) + static_cast<double>(weight.bytes)};
  if (out.rows() > 0 && out.cols() > 0) do_matmul(out, x, weight, options);
}

void Queue::rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table, int head_dim) {
  expect(is_real(out) && is_real(x), "rope", "real operands", {{"out", out}, {"x", x}});
  expect_same_shape("rope", {{"out", out}, {"x", x}});
  expect_dtype("rope", DType::f32, {{"table", table}});
  expect_indices("rope", {"positions", positions}, x.rows());
  expect(table && table.cols() % 2 == 0 && head_dim >= table.cols() && head_dim > 0 && x.cols() % head_dim == 0, "rope",
         "table is [positions, rotary], rotary even and at most head_dim, which divides x.cols",
         {{"x", x}, {"table", table}});
  expect_same_or_apart("rope", {"out", out}, {{"x", x}});
  cost_ += {0, bytes_of({&out, &x})};
  if (out.rows() > 0) do_rope(out, x, positions, table, head_dim);
}

void Queue::gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) {
  expect_dtype("gated", DType::f32, {{"out", out}, {"gate", gate}, {"up", up}});
  expect_same_shape("gated", {{"out", out}, {"gate", gate}, {"up", up}});
  expect_same_or_apart("gated", {"out", out}, {{"gate", gate}, {"up", up}});
  cost_ += {0, bytes_of({&out, &gate, &up})};
  if (out.rows() > 0) do_gated(out, gate, up, activation);
}

void Queue::activate(const Tensor& out, const Tensor& x, Activation activation) {
  expect_dtype("activate", DType::f32, {{"out", out}, {"x", x}});
  expect_same_shape("activate", {{"out", out}, {"x", x}});
  expect_same_or_apart("activate", {"out", out}, {{"x", x}});
  cost_ += {0, bytes_of({&out, &x})};
  if (out.rows() > 0) do_activate(out, x, activation);
}

void Queue::add(const Tensor& out, const Tensor& x) {
  expect_dtype("add", DType::f32, {{"out", out}, {"x", x}});
  expect_same_shape("add", {{"out", out}, {"x", x}});
  expect_same_or_apart("add", {"out", out}, {{"x", x}});
  cost_ += {0, bytes_of({&out, &x})};
  if (out.rows() > 0) do_add(out, x);
}

// ---- reductions ----------------------------------------------------------------------------------------------

void Queue::row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) {
  expect_dtype("row_deviation", DType::f32, {{"out", out}});
  expect(is_real(a) && out && out.rows() == a.rows() && out.cols() == 1, "row_deviation", "out is [a.rows, 1], a real",
         {{"out", out}, {"a", a}});
  if (b) {
    expect(is_real(b), "row_deviation", "b is real", {{"b", b}});
    expect_same_shape("row_deviation", {{"a", a}, {"b", b}});
  }
  expect_apart("row_deviation", {"out", out}, {{"a", a}, {"b", b}});
  cost_ += {0, bytes_of({&out, &a, &b})};
  if (out.rows() > 0) do_row_deviation(out, a, b);
}

void Queue::argmax(const Tensor& out, const Tensor& x) {
  expect_dtype("argmax", DType::f32, {{"x", x}});
  expect_dtype("argmax", DType::i32, {{"out", out}});
  expect(x && out && out.rows() == x.rows() && out.cols() == 1 && x.cols() > 0, "argmax",
         "out is [x.rows, 1], x not empty", {{"out", out}, {"x", x}});
  cost_ += {0, bytes_of({&out, &x})};
  if (out.rows() > 0) do_argmax(out, x);
}

}  // namespace kvmend
