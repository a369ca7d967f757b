#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kvmend {

/// tests/data/tokenizers: what scripts/golden/tokenizer_golden.py made.
std::filesystem::path tokenizer_data();

/// The strings of strings.gz, arbitrary bytes.
const std::vector<std::string>& golden_strings();

/// The sweep over code points as tokenizer_strings.py writes it: 32 code points a string.
std::vector<std::string> sweep_strings();

/// NAME.golden.json.gz.
nlohmann::json read_golden(const std::string& name);

/// CRC-32 over ids as little-endian 32-bit integers, going on from `start`.
std::uint32_t crc_of(const std::vector<std::int32_t>& ids, std::uint32_t start);

}  // namespace kvmend
