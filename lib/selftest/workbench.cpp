#include "selftest/workbench.h"

#include <algorithm>
#include <limits>

#include "core/random.h"
#include "model/dequant.h"

namespace kvmend::selftest {

const Sizes kCompared{.rows = 37,
                      .width = 384,
                      .tokens = 37,
                      .inner = 512,
                      .outer = 200,
                      .queries = 70,
                      .keys = 1100,
                      .cells = 3,
                      .cell_keys = 1300,
                      .vocabulary = 999,
                      .heads = 6,
                      .kv_heads = 2,
                      .head_dim = 64};
const Sizes kTimedOnHost{.rows = 4096,
                         .width = 2048,
                         .tokens = 1024,
                         .inner = 2048,
                         .outer = 2048,
                         .queries = 128,
                         .keys = 4096,
                         .cells = 4,
                         .cell_keys = 4096,
                         .vocabulary = 49152,
                         .heads = 16,
                         .kv_heads = 4,
                         .head_dim = 64};
const Sizes kTimedOnCard{.rows = 8192,
                         .width = 4096,
                         .tokens = 4096,
                         .inner = 4096,
                         .outer = 14336,
                         .queries = 512,
                         .keys = 8192,
                         .cells = 16,
                         .cell_keys = 8192,
                         .vocabulary = 128256,
                         .heads = 32,
                         .kv_heads = 8,
                         .head_dim = 128};

namespace {

/// Numbers are drawn once and repeated, at a prime's distance: large operands are made as fast as memory takes them.
constexpr std::size_t kPeriod = 65521;

/// Four uniform numbers add up to a bell of variance 1/3.
std::vector<float> bell(unsigned seed, float scale) {
  Random random(seed);
  std::vector<float> drawn(kPeriod);
  for (float& x : drawn)
    x = scale * 1.7320508F * static_cast<float>(random.real() + random.real() + random.real() + random.real() - 2);
  return drawn;
}

std::vector<std::byte> random_blocks(StoredType type, std::int64_t count) {
  const BlockLayout layout = block_layout(type);
  Random random(static_cast<std::uint64_t>(type));
  std::vector<std::byte> drawn(kPeriod);
  // Without bit 6 of a byte no scale has its largest exponent: no infinities, and values of all sizes up to 2.
  for (std::byte& byte : drawn) byte = static_cast<std::byte>(random.next() & 0xbfU);
  std::vector<std::byte> blocks(static_cast<std::size_t>(count / layout.elements * layout.bytes));
  for (std::size_t first = 0; first < blocks.size(); first += kPeriod)
    std::copy_n(drawn.begin(), std::min(kPeriod, blocks.size() - first),
                blocks.begin() + static_cast<std::ptrdiff_t>(first));
  return blocks;
}

WeightSource source_of(const std::vector<std::byte>& blocks, std::int64_t rows, std::int64_t cols, StoredType type) {
  const std::size_t row_bytes = blocks.size() / static_cast<std::size_t>(rows);
  return {.name = "selftest",
          .rows = rows,
          .cols = cols,
          .type = type,
          .raw = blocks,
          .read_rows = [&blocks, row_bytes, cols, type](std::int64_t first, std::int64_t count, float* out) {
            dequantise(type, blocks.data() + static_cast<std::size_t>(first) * row_bytes, count * cols, out);
          }};
}

}  // namespace

std::int64_t Workbench::made_rows(std::int64_t rows, std::int64_t cols) {
  constexpr std::int64_t most = 1 << 20;  // elements
  return std::min(rows, (most + cols - 1) / std::max<std::int64_t>(1, cols));
}

void Workbench::repeat(const Tensor& tensor) {
  for (std::int64_t there = made_rows(tensor.rows(), tensor.cols()); there < tensor.rows(); there *= 2) {
    const std::int64_t count = std::min(there, tensor.rows() - there);
    queue->copy(tensor.row_range(there, count), tensor.row_range(0, count));
  }
}

Tensor Workbench::blank(std::int64_t rows, std::int64_t cols, DType dtype) {
  Tensor out = backend.allocate(dtype, rows, cols);
  const Tensor first = out.row_range(0, made_rows(rows, cols));
  const auto count = static_cast<std::size_t>(first.rows() * cols);
  if (dtype == DType::i32)
    queue->upload(first, std::vector<std::int32_t>(count, -1));
  else
    queue->upload(first, std::vector<float>(count, std::numeric_limits<float>::quiet_NaN()));
  repeat(out);
  return out;
}

Tensor Workbench::values(std::int64_t rows, std::int64_t cols, unsigned seed, DType dtype, float scale) {
  const std::vector<float> drawn = bell(seed, scale);
  Tensor out = backend.allocate(dtype, rows, cols);
  const Tensor made = out.row_range(0, made_rows(rows, cols));
  std::vector<float> all(static_cast<std::size_t>(made.rows() * cols));
  for (std::size_t first = 0; first < all.size(); first += kPeriod)
    std::copy_n(drawn.begin(), std::min(kPeriod, all.size() - first), all.begin() + static_cast<std::ptrdiff_t>(first));
  queue->upload(made, std::span<const float>(all));
  repeat(out);
  return out;
}

Tensor Workbench::index_list(const std::vector<std::int32_t>& indices) {
  Tensor out = backend.allocate(DType::i32, static_cast<std::int64_t>(indices.size()), 1);
  queue->upload(out, std::span<const std::int32_t>(indices));
  return out;
}

Tensor Workbench::indices(std::int64_t count, std::int64_t below) {
  // A shuffle, repeated where more are wanted.
  const std::vector<int> order = Random(1).distinct(static_cast<int>(below), static_cast<int>(below));
  std::vector<std::int32_t> list(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = order[i % order.size()];
  return index_list(list);
}

WeightPtr Workbench::weight(std::int64_t outer, std::int64_t inner, StoredType type) {
  const std::vector<std::byte> blocks = random_blocks(type, outer * inner);
  return backend.prepare(source_of(blocks, outer, inner, type));
}

Tensor Workbench::table(std::int64_t rows, std::int64_t cols, StoredType type) {
  const std::vector<std::byte> blocks = random_blocks(type, rows * cols);
  return backend.prepare_table(source_of(blocks, rows, cols, type));
}

KvView Workbench::context(std::int64_t keys, int kv_columns, unsigned seed) {
  std::vector<std::int32_t> slots;
  std::int32_t recomputed = 0;
  for (std::int32_t i = 0; i < keys; ++i) slots.push_back(i % 5 == 4 ? -1 - recomputed++ : i);
  const auto overlay_rows = std::max<std::int64_t>(1, recomputed);
  return {.base_k = values(keys, kv_columns, seed, compute()),
          .base_v = values(keys, kv_columns, seed + 1, compute()),
          .overlay_k = values(overlay_rows, kv_columns, seed + 2, compute()),
          .overlay_v = values(overlay_rows, kv_columns, seed + 3, compute()),
          .slots = index_list(slots),
          .n_keys = keys};
}

std::vector<float> Workbench::read(const Tensor& tensor) {
  std::vector<float> out(static_cast<std::size_t>(tensor.rows() * tensor.cols()));
  if (tensor.dtype() != DType::i32) {
    queue->download(std::span<float>(out), tensor);
    return out;
  }
  std::vector<std::int32_t> integers(out.size());
  queue->download(std::span<std::int32_t>(integers), tensor);
  std::copy(integers.begin(), integers.end(), out.begin());
  return out;
}

}  // namespace kvmend::selftest
