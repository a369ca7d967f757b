// Operations on rows.
#include "backend/cuda/cuda_queue.h"

namespace kvmend::cuda {

void CudaQueue::do_embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) {
  check(launch::move_rows(rows_of(out), nullptr, rows_of(table), indices_of(ids), out.rows(), scale, stream()),
        "embed");
}

void CudaQueue::do_copy(const Tensor& to, const Tensor& from) {
  check(launch::move_rows(rows_of(to), nullptr, rows_of(from), nullptr, to.rows(), 1, stream()), "copy");
}

void CudaQueue::do_gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  check(launch::move_rows(rows_of(out), nullptr, rows_of(x), indices_of(indices), out.rows(), 1, stream()),
        "gather_rows");
}

void CudaQueue::do_scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  check(launch::move_rows(rows_of(out), indices_of(indices), rows_of(x), nullptr, x.rows(), 1, stream()),
        "scatter_rows");
}

void CudaQueue::do_rms_norm(const Tensor& out, const Tensor& x, const Tensor& weight, float eps, int groups) {
  check(launch::rms_norm(rows_of(out), rows_of(x), rows_of(weight), eps, groups, stream()), "rms_norm");
}

void CudaQueue::do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  check(launch::layer_norm(rows_of(out), rows_of(x), rows_of(weight), rows_of(bias), eps, stream()), "layer_norm");
}

void CudaQueue::do_rope(const Tensor& out, const Tensor& x, const Tensor& positions, const Tensor& table,
                        int head_dim) {
  check(launch::rope(rows_of(out), rows_of(x), indices_of(positions), rows_of(table), head_dim, stream()), "rope");
}

void CudaQueue::do_join_attention(const Tensor& out, const Tensor& a, const Tensor& lse_a, const Tensor& b,
                                  const Tensor& lse_b, float scale) {
  check(launch::join_attention(rows_of(out), rows_of(a), rows_of(lse_a), rows_of(b), rows_of(lse_b), scale, stream()),
        "join_attention");
}

void CudaQueue::do_blend_rows(const Tensor& to, const Tensor& old) {
  check(launch::blend_rows(rows_of(to), rows_of(old), stream()), "blend_rows");
}

void CudaQueue::do_gated(const Tensor& out, const Tensor& gate, const Tensor& up, Activation activation) {
  check(launch::activate(rows_of(out), rows_of(gate), rows_of(up), activation, stream()), "gated");
}

void CudaQueue::do_activate(const Tensor& out, const Tensor& x, Activation activation) {
  check(launch::activate(rows_of(out), rows_of(x), {}, activation, stream()), "activate");
}

void CudaQueue::do_add(const Tensor& out, const Tensor& x) {
  check(launch::add_rows(rows_of(out), rows_of(out), rows_of(x), stream()), "add");
}

void CudaQueue::do_row_deviation(const Tensor& out, const Tensor& a, const Tensor& b) {
  check(launch::row_deviation(rows_of(out), rows_of(a), rows_of(b), stream()), "row_deviation");
}

void CudaQueue::do_argmax(const Tensor& out, const Tensor& x) {
  check(launch::argmax(rows_of(out), rows_of(x), stream()), "argmax");
}

void CudaQueue::do_top_k(const Tensor& out, const Tensor& x) {
  auto* const indices = static_cast<std::int32_t*>(device_data(out));
  check(launch::top_k(indices, rows_of(x), static_cast<int>(out.cols()), stream()), "top_k");
}

}  // namespace kvmend::cuda
