// A card dequantises every stored type to the host's bits.
#include <cstring>
#include <random>

#include "backend/backend.h"
#include "catch.h"
#include "model/dequant.h"

using namespace kvmend;

TEST_CASE("weights are dequantised on a card as on the host", "[.card]") {
  const std::int64_t rows = 13, cols = 768;  // more than two of a kernel's blocks, and the last not full
  std::mt19937 generator(1);
  for (int t = 0; t <= static_cast<int>(StoredType::q6_k); ++t) {
    const auto type = static_cast<StoredType>(t);
    const BlockLayout layout = block_layout(type);
    std::vector<std::byte> raw(static_cast<std::size_t>(rows * cols / layout.elements * layout.bytes));
    for (std::byte& byte : raw) byte = static_cast<std::byte>(generator() & 0xbfU);  // no exponent of ones: no NaN
    std::vector<float> expected(static_cast<std::size_t>(rows * cols));
    dequantise(type, raw.data(), rows * cols, expected.data());
    const WeightSource source{.name = "w", .rows = rows, .cols = cols, .type = type, .raw = raw, .read_rows = {}};
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto backend = make_backend({.device = "cuda", .dtype = dtype, .threads = 1});
      const auto queue = backend->make_queue();
      std::vector<float> got(expected.size());
      queue->download(got, backend->prepare_table(source));
      INFO(stored_type_name(type) << " to " << dtype_name(dtype));
      if (dtype == DType::bf16) {  // rounded to the nearest by the way in
        const Tensor rounded = backend->allocate(DType::bf16, rows, cols);
        queue->upload(rounded, std::span<const float>(expected));
        queue->download(expected, rounded);
      }
      CHECK(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0);
    }
  }
}
