// Moving rows: embedding, copy, gather, scatter.
#include <cstring>

#include "backend/host/host_buffer.h"
#include "backend/reference/matrix.h"
#include "backend/reference/reference_queue.h"

namespace kvmend {

namespace {

void copy_row(const Tensor& to, std::int64_t to_row, const Tensor& from, std::int64_t from_row) {
  const std::size_t size = dtype_bytes(to.dtype());
  std::memcpy(host_bytes(to) + static_cast<std::size_t>(to_row * to.stride()) * size,
              host_bytes(from) + static_cast<std::size_t>(from_row * from.stride()) * size,
              static_cast<std::size_t>(to.cols()) * size);
}

}  // namespace

void ReferenceQueue::do_embed(const Tensor& out, const Tensor& table, const Tensor& ids, float scale) {
  const std::int32_t* id = host_indices(ids, 0, table.rows(), "embed: ids");
  reference::Matrix values(out.rows(), out.cols());
  for (std::int64_t r = 0; r < out.rows(); ++r) values.row(r) = reference::read(table.row_range(id[r], 1)) * scale;
  reference::write(out, values);
}

void ReferenceQueue::do_copy(const Tensor& to, const Tensor& from) {
  if (to.dtype() != from.dtype()) return reference::write(to, reference::read(from));
  for (std::int64_t r = 0; r < to.rows(); ++r) copy_row(to, r, from, r);
}

void ReferenceQueue::do_gather_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  const std::int32_t* index = host_indices(indices, 0, x.rows(), "gather_rows: indices");
  for (std::int64_t r = 0; r < out.rows(); ++r) copy_row(out, r, x, index[r]);
}

void ReferenceQueue::do_scatter_rows(const Tensor& out, const Tensor& x, const Tensor& indices) {
  const std::int32_t* index = host_indices(indices, 0, out.rows(), "scatter_rows: indices");
  for (std::int64_t r = 0; r < x.rows(); ++r) copy_row(out, index[r], x, r);
}

}  // namespace kvmend
