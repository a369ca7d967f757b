// Launches of the kernels on rows.
#include "backend/cuda/launch.h"
#include "backend/cuda/row_arguments.h"
#include "elementwise.cuh"
#include "norm.cuh"
#include "reduce.cuh"
#include "rope.cuh"
#include "rows.cuh"
#include "top_k.cuh"

namespace kvmend::cuda::launch {

namespace {

using gpu::bf16;

template <class To, class From>
cudaError_t move_as(const Rows& to, const std::int32_t* to_index, const Rows& from, const std::int32_t* from_index,
                    std::int64_t rows, float scale, cudaStream_t stream) {
  const gpu::IndexedRows<To> out{data<To>(to), to.stride, to_index};
  const gpu::IndexedRows<const From> in{data<const From>(from), from.stride, from_index};
  const bool aligned = quads(to, from) && to.stride % 4 == 0 && from.stride % 4 == 0;
  return KVMEND_LAUNCH((gpu::move_rows<To, From>), blocks_for(rows, 8), 256, 0, stream, out, in, rows,
                       static_cast<int>(to.cols), scale, aligned);
}

unsigned elementwise_blocks(const Rows& out) {
  return static_cast<unsigned>(out.rows) * blocks_for(out.cols, gpu::kColumnsOfBlock);
}

gpu::ConstMatrixRows matrix(const Rows& rows) { return {data<const float>(rows), rows.rows <= 1 ? 0 : rows.stride}; }

}  // namespace

cudaError_t move_rows(const Rows& to, const std::int32_t* to_index, const Rows& from, const std::int32_t* from_index,
                      std::int64_t rows, float scale, cudaStream_t stream) {
  if (to.dtype == DType::i32) {
    const gpu::IndexedRows<std::int32_t> out{data<std::int32_t>(to), to.stride, to_index};
    const gpu::IndexedRows<const std::int32_t> in{data<const std::int32_t>(from), from.stride, from_index};
    return KVMEND_LAUNCH(gpu::move_integers, blocks_for(rows, 8), 256, 0, stream, out, in, rows,
                         static_cast<int>(to.cols));
  }
  const bool to_half = to.dtype == DType::bf16, from_half = from.dtype == DType::bf16;
  const auto move = to_half ? (from_half ? move_as<bf16, bf16> : move_as<bf16, float>)
                            : (from_half ? move_as<float, bf16> : move_as<float, float>);
  return move(to, to_index, from, from_index, rows, scale, stream);
}

cudaError_t rms_norm(const Rows& out, const Rows& x, const Rows& weight, float eps, int groups, cudaStream_t stream) {
  const int size = static_cast<int>(weight.cols);
  const gpu::NormArgs args{data<float>(out),
                           out.stride,
                           data<const float>(x),
                           x.stride,
                           data<const float>(weight),
                           nullptr,
                           eps,
                           size,
                           groups,
                           quads(out, x, weight)};
  const auto blocks = static_cast<unsigned>(x.rows * groups);
  if (size <= 256) return KVMEND_LAUNCH(gpu::rms_norm<32>, blocks, 32, 0, stream, args);
  return KVMEND_LAUNCH(gpu::rms_norm<256>, blocks, 256, 0, stream, args);
}

cudaError_t layer_norm(const Rows& out, const Rows& x, const Rows& weight, const Rows& bias, float eps,
                       cudaStream_t stream) {
  const gpu::NormArgs args{
      data<float>(out),        out.stride, data<const float>(x),     x.stride, data<const float>(weight),
      data<const float>(bias), eps,        static_cast<int>(x.cols), 1,        quads(out, x, weight, bias)};
  return KVMEND_LAUNCH(gpu::layer_norm<256>, static_cast<unsigned>(x.rows), 256, 0, stream, args);
}

namespace {

template <class Out, class In>
cudaError_t rope_as(const Rows& out, const Rows& x, const std::int32_t* positions, const Rows& table,
                    const gpu::RopeShape& shape, cudaStream_t stream) {
  const std::int64_t items = shape.rows * shape.heads * (shape.head_dim - shape.rotary / 2);
  return KVMEND_LAUNCH((gpu::rope<Out, In>), blocks_for(items, 256), 256, 0, stream, data<Out>(out), out.stride,
                       data<const In>(x), x.stride, positions, data<const float>(table), table.stride, shape);
}

}  // namespace

cudaError_t rope(const Rows& out, const Rows& x, const std::int32_t* positions, const Rows& table, int head_dim,
                 cudaStream_t stream) {
  const gpu::RopeShape shape{x.rows, static_cast<int>(x.cols / head_dim), head_dim, static_cast<int>(table.cols)};
  if (x.rows == 0) return cudaSuccess;
  const bool to_half = out.dtype == DType::bf16, from_half = x.dtype == DType::bf16;
  const auto run = to_half ? (from_half ? rope_as<bf16, bf16> : rope_as<bf16, float>)
                           : (from_half ? rope_as<float, bf16> : rope_as<float, float>);
  return run(out, x, positions, table, shape, stream);
}

// Kernels see no header of ours: an activation is passed by its number.
static_assert(static_cast<int>(gpu::Function::silu) == static_cast<int>(Activation::silu));
static_assert(static_cast<int>(gpu::Function::gelu_tanh) == static_cast<int>(Activation::gelu_tanh));
static_assert(static_cast<int>(gpu::Function::gelu) == static_cast<int>(Activation::gelu));

cudaError_t activate(const Rows& out, const Rows& gate, const Rows& up, Activation activation, cudaStream_t stream) {
  if (out.cols == 0) return cudaSuccess;
  return KVMEND_LAUNCH(gpu::activate, elementwise_blocks(out), 256, 0, stream,
                       gpu::MatrixRows{data<float>(out), out.stride}, matrix(gate), matrix(up),
                       static_cast<int>(out.cols), static_cast<gpu::Function>(activation), quads(out, gate, up));
}

cudaError_t add_rows(const Rows& out, const Rows& a, const Rows& b, cudaStream_t stream) {
  if (out.cols == 0) return cudaSuccess;
  const auto columns = static_cast<int>(out.cols);
  const bool aligned = quads(out, a, b);
  if (out.dtype == DType::bf16)
    return KVMEND_LAUNCH(gpu::add_rows<bf16>, elementwise_blocks(out), 256, 0, stream, data<bf16>(out), out.stride,
                         matrix(a), matrix(b), columns, aligned);
  return KVMEND_LAUNCH(gpu::add_rows<float>, elementwise_blocks(out), 256, 0, stream, data<float>(out), out.stride,
                       matrix(a), matrix(b), columns, aligned);
}

namespace {

template <class A, class B>
cudaError_t deviation_as(const Rows& out, const Rows& a, const Rows& b, cudaStream_t stream) {
  return KVMEND_LAUNCH((gpu::row_deviation<A, B>), blocks_for(a.rows, 8), 256, 0, stream, data<float>(out), out.stride,
                       data<const A>(a), a.stride, data<const B>(b), b.stride, a.rows, static_cast<int>(a.cols),
                       quads(a, b));
}

}  // namespace

cudaError_t row_deviation(const Rows& out, const Rows& a, const Rows& b, cudaStream_t stream) {
  const bool half_a = a.dtype == DType::bf16, half_b = b.dtype == DType::bf16;
  const auto run = half_a ? (half_b ? deviation_as<bf16, bf16> : deviation_as<bf16, float>)
                          : (half_b ? deviation_as<float, bf16> : deviation_as<float, float>);
  return run(out, a, b, stream);
}

cudaError_t argmax(const Rows& out, const Rows& x, cudaStream_t stream) {
  return KVMEND_LAUNCH(gpu::argmax<256>, static_cast<unsigned>(x.rows), 256, 0, stream, data<std::int32_t>(out),
                       out.stride, data<const float>(x), x.stride, static_cast<int>(x.cols));
}

cudaError_t top_k(std::int32_t* out, const Rows& x, int k, cudaStream_t stream) {
  return KVMEND_LAUNCH(gpu::top_k<256>, static_cast<unsigned>(x.rows), 256, 0, stream, out, data<const float>(x),
                       x.stride, static_cast<int>(x.cols), k);
}

}  // namespace kvmend::cuda::launch
