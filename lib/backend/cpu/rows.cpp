// The operations that work on one row at a time.
#include <cstring>

#include "backend/cpu/cpu_queue.h"
#include "backend/host/host_buffer.h"

namespace kvmend {

RealRows real_rows(const Tensor& tensor) {
  return {host_bytes(tensor), tensor.stride(), tensor.dtype() == DType::bf16};
}

void CpuQueue::convert(const Tensor& to, const Tensor& from, const std::int32_t* index, float scale) {
  const ConvertArgs args{real_rows(to), real_rows(from), index, to.cols(), scale, false};
  over_rows(to.rows(), to.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().convert(args, begin, end); });
}

void CpuQueue::do_embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) {
  convert(out, table, host_indices(ids, 0, table.rows(), "embed: ids"), scale);
}

namespace {

/// Copies rows byte by byte; to_row and from_row map r to a row of each.
template <class ToRow, class FromRow>
void copy_rows(const Tensor& to, const Tensor& from, std::int64_t begin, std::int64_t end, const ToRow& to_row,
               const FromRow& from_row) {
  const std::size_t size = dtype_bytes(to.dtype()), row_bytes = static_cast<std::size_t>(to.cols()) * size;
  std::byte* target = host_bytes(to);
  const std::byte* origin = host_bytes(from);
  const auto offset = [size](std::int64_t row, const Tensor& t) {
    return static_cast<std::size_t>(row * t.stride()) * size;
  };
  for (std::int64_t r = begin; r < end; ++r)
    std::memcpy(target + offset(to_row(r), to), origin + offset(from_row(r), from), row_bytes);
}

constexpr auto same_row = [](std::int64_t r) { return r; };

}  // namespace

void CpuQueue::do_copy(const Tensor& to, const Tensor& from) {
  if (to.dtype() != from.dtype()) return convert(to, from, nullptr, 1);
  over_rows(to.rows(), to.cols(),
            [&](std::int64_t begin, std::int64_t end) { copy_rows(to, from, begin, end, same_row, same_row); });
}

void CpuQueue::do_gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  const std::int32_t* index = host_indices(indices, 0, x.rows(), "gather_rows: indices");
  over_rows(out.rows(), out.cols(), [&](std::int64_t begin, std::int64_t end) {
    copy_rows(out, x, begin, end, same_row, [index](std::int64_t r) { return index[r]; });
  });
}

void CpuQueue::do_scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  const std::int32_t* index = host_indices(indices, 0, out.rows(), "scatter_rows: indices");
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) {
    copy_rows(
        out, x, begin, end, [index](std::int64_t r) { return index[r]; }, same_row);
  });
}

void CpuQueue::do_rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) {
  const NormArgs args{host_data<float>(out),
                      host_data<float>(x),
                      out.stride(),
                      x.stride(),
                      host_data<float>(weight),
                      nullptr,
                      eps,
                      weight.cols(),
                      groups,
                      false};
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().norm(args, begin, end); });
}

void CpuQueue::do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  const NormArgs args{host_data<float>(out),
                      host_data<float>(x),
                      out.stride(),
                      x.stride(),
                      host_data<float>(weight),
                      host_data<float>(bias),
                      eps,
                      x.cols(),
                      1,
                      true};
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().norm(args, begin, end); });
}

void CpuQueue::do_rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table, int head_dim) {
  const RopeArgs args{.out = real_rows(out),
                      .x = real_rows(x),
                      .positions = host_indices(positions, 0, table.rows(), "rope: positions"),
                      .table = host_data<float>(table),
                      .table_stride = table.stride(),
                      .rotary = table.cols(),
                      .heads = x.cols() / head_dim,
                      .head_dim = head_dim};
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().rope(args, begin, end); });
}

void CpuQueue::do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) {
  const GatedArgs args{host_data<float>(out),
                       host_data<float>(gate),
                       host_data<float>(up),
                       out.stride(),
                       gate.stride(),
                       up.stride(),
                       out.cols(),
                       activation};
  over_rows(out.rows(), 4 * out.cols(),
            [&](std::int64_t begin, std::int64_t end) { kernels().gated(args, begin, end); });
}

void CpuQueue::do_activate(const Tensor& out, const Tensor& x, Activation activation) {
  const GatedArgs args{
      host_data<float>(out), host_data<float>(x), nullptr, out.stride(), x.stride(), 0, out.cols(), activation};
  over_rows(out.rows(), 4 * out.cols(),
            [&](std::int64_t begin, std::int64_t end) { kernels().gated(args, begin, end); });
}

void CpuQueue::do_add(const Tensor& out, const Tensor& x) {
  const AddArgs args{host_data<float>(out), host_data<float>(x), out.stride(), x.stride(), out.cols()};
  over_rows(out.rows(), out.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().add(args, begin, end); });
}

void CpuQueue::do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) {
  const DeviationArgs args{host_data<float>(out), out.stride(), real_rows(a), real_rows(b), a.cols()};
  over_rows(a.rows(), a.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().deviation(args, begin, end); });
}

void CpuQueue::do_argmax(const Tensor& out, const Tensor& x) {
  const ArgmaxArgs args{host_data<std::int32_t>(out), out.stride(), host_data<float>(x), x.stride(), x.cols()};
  over_rows(x.rows(), x.cols(), [&](std::int64_t begin, std::int64_t end) { kernels().argmax(args, begin, end); });
}

}  // namespace kvmend
