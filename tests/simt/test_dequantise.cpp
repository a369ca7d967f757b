// Dequantising where the array ends in the midst of a store, or lies at no multiple of 16 bytes. Every format's bits are
// compared with the host's in tests/model/card_dequant_test.cpp.
#include "catch.h"
#include "dequantise.cuh"
#include "mutants/mutant.h"

using namespace mutants;
using namespace kvmend::gpu;

namespace {

/// Elements [0, count) of `blocks` at out[offset], in an array with a guard on both sides.
template <BlockFormat format, class T>
std::vector<float> dequantised(const std::vector<Byte>& blocks, int count, int offset) {
  const Stream stream;
  const std::size_t before = static_cast<std::size_t>(8 + offset), size = static_cast<std::size_t>(count) + before + 16;
  const Array<Byte> in(blocks, stream);
  const Array<T> out(std::vector<T>(size, from_float<T>(7)), stream);
  REQUIRE(KVMEND_LAUNCH((kvmend::gpu::dequantise<format, T>), static_cast<unsigned>(count / kDequantised + 1), 256, 0,
                        stream, out.get() + before, in.get(), count, offset == 0) == cudaSuccess);
  const std::vector<T> all = out.download();
  for (std::size_t i = 0; i < size; ++i)
    if (i < before || i >= before + static_cast<std::size_t>(count)) REQUIRE(to_float(all[i]) == 7);
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(to_float(all[before + static_cast<std::size_t>(i)]));
  return values;
}

template <class T>
std::vector<Byte> bytes_of(const std::vector<T>& values) {
  std::vector<Byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("plain types of any number of elements are converted, and nothing beside them written") {
  for (const int count : {1, 7, 8, 2047, 4095, 4096, 4097, 8203})
    for (const int offset : {0, 1}) {
      INFO(count << " elements at " << offset);
      std::vector<float> values = random_values(static_cast<std::size_t>(count), 3), rounded;
      std::vector<bf16> halves;
      for (const float v : values) {
        rounded.push_back(round_bf16(v));
        halves.push_back(from_float<bf16>(v));
      }
      CHECK(dequantised<BlockFormat::plain_f32, float>(bytes_of(values), count, offset) == values);
      CHECK(dequantised<BlockFormat::plain_f32, bf16>(bytes_of(values), count, offset) == rounded);
      CHECK(dequantised<BlockFormat::plain_bf16, float>(bytes_of(halves), count, offset) == rounded);
      CHECK(dequantised<BlockFormat::plain_bf16, bf16>(bytes_of(halves), count, offset) == rounded);
    }
}

TEST_CASE("blocks of bytes that are no multiple of 16 are dequantised to the last") {
  for (const int blocks : {1, 3, 128, 129, 301})  // 128 blocks of Q8_0 are what a block of threads takes
    for (const int offset : {0, 1}) {
      std::vector<Byte> bytes;
      std::vector<float> expected;
      for (int block = 0; block < blocks; ++block) {
        const auto scale = static_cast<float>(1 + block % 5);
        const std::uint16_t bits = __half_raw(__float2half(scale)).x;
        bytes.push_back(static_cast<Byte>(bits & 255));
        bytes.push_back(static_cast<Byte>(bits >> 8));
        for (int i = 0; i < 32; ++i) {
          bytes.push_back(static_cast<Byte>(i * 7 + block));
          expected.push_back(scale * static_cast<float>(static_cast<std::int8_t>(bytes.back())));
        }
      }
      INFO(blocks << " blocks at " << offset);
      CHECK(dequantised<BlockFormat::q8_0, float>(bytes, 32 * blocks, offset) == expected);
    }
}
