#include "model/dequant.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/split_mix.h"
#include "paths.h"

using namespace kvmend;

namespace {

const std::filesystem::path golden = std::filesystem::path(source_folder()) / "tests/data/golden";

StoredType type_named(const std::string& name) {
  for (int i = 0; i <= static_cast<int>(StoredType::q6_k); ++i) {
    if (stored_type_name(static_cast<StoredType>(i)) == name) return static_cast<StoredType>(i);
  }
  throw std::runtime_error("no type " + name);
}

/// The generator of scripts/golden/dequant.py: splitmix64, infinities and NaN taken out of the scales.
std::string random_blocks(std::uint64_t seed, std::size_t block_bytes, std::size_t blocks,
                          const std::vector<std::size_t>& halves) {
  std::string out;
  SplitMix random(seed);
  while (out.size() < block_bytes * blocks) {
    const std::uint64_t word = random.next();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.resize(block_bytes * blocks);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (const std::size_t half : halves) {
      char& high = out[block * block_bytes + half + 1];
      if ((high & 0x7c) == 0x7c) high = static_cast<char>(high & 0xbf);
    }
  }
  return out;
}

std::string dequantised(StoredType type, std::string_view blocks) {
  const BlockLayout layout = block_layout(type);
  const std::int64_t count = static_cast<std::int64_t>(blocks.size()) / layout.bytes * layout.elements;
  std::vector<float> values(static_cast<std::size_t>(count));
  dequantise(type, reinterpret_cast<const std::byte*>(blocks.data()), count, values.data());
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

TEST_CASE("every quantised type gives the gguf package's bits", "[dequant]") {
  const auto index = nlohmann::json::parse(read_file(golden / "dequant.json"));
  const std::string data = read_file(golden / "dequant.bin");
  CHECK(index["types"].size() == 10);
  for (const auto& entry : index["types"]) {
    const StoredType type = type_named(entry["type"]);
    const auto bytes = static_cast<std::size_t>(block_layout(type).bytes);
    INFO(entry["type"]);
    const std::size_t begin = entry["blocks_at"], values = entry["values_at"];
    const std::string out = dequantised(type, std::string_view(data).substr(begin, values - begin));
    CHECK(out == data.substr(values, out.size()));
    CHECK(out.size() == entry["blocks"].get<std::size_t>() * static_cast<std::size_t>(block_layout(type).elements) * 4);
    const std::string seeded = random_blocks(entry["seed"], bytes, entry["seeded_blocks"], entry["halves"]);
    CHECK(sha256(dequantised(type, seeded)) == entry["seeded_sha256"]);
  }
}

TEST_CASE("halves of every pattern become the right floats", "[dequant]") {
  const auto index = nlohmann::json::parse(read_file(golden / "dequant.json"));
  std::string patterns;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    if (std::isnan(half_to_float(half))) {
      CHECK((half & 0x7fffU) > 0x7c00U);
    } else {
      patterns.append(reinterpret_cast<const char*>(&half), 2);
    }
  }
  CHECK(sha256(dequantised(StoredType::f16, patterns)) == index["f16_sha256"]);
}

TEST_CASE("float32 and bfloat16 are read as they stand, at any alignment", "[dequant]") {
  const float values[] = {1.5F, -0.0F, 3e-40F, -1e38F};
  std::string bytes(1, 'x');
  bytes.append(reinterpret_cast<const char*>(values), sizeof values);
  CHECK(dequantised(StoredType::f32, std::string_view(bytes).substr(1)) == bytes.substr(1));
  const std::uint16_t rounded[] = {0x3fc0, 0x8000, 0x0001, 0xff80};  // 1.5, −0, a denormal, −infinity
  bytes.assign(1, 'x');
  bytes.append(reinterpret_cast<const char*>(rounded), sizeof rounded);
  const std::string out = dequantised(StoredType::bf16, std::string_view(bytes).substr(1));
  const std::uint32_t expected[] = {0x3fc00000, 0x80000000, 0x00010000, 0xff800000};
  CHECK(out == std::string(reinterpret_cast<const char*>(expected), sizeof expected));
}
