#include "experiment/store/blob.h"

#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace kvmend {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7F) | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::uint64_t take_varint(std::string_view& in, std::string_view what) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in.empty()) fail(ErrorKind::data, "{}: cut short", what);
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  fail(ErrorKind::data, "{}: a number that does not end", what);
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

constexpr std::uint64_t largest_deflate_ratio = 1032;

}  // namespace

std::string compress(std::string_view plain) {
  std::string out;
  put_varint(out, plain.size());
  const std::size_t head = out.size();
  uLongf size = compressBound(plain.size());
  out.resize(head + size);
  const int status = compress2(reinterpret_cast<Bytef*>(out.data() + head), &size,
                               reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 6);
  require(status == Z_OK, "zlib cannot compress {} bytes: {}", plain.size(), status);
  out.resize(head + size);
  return out;
}

std::string decompress(std::string_view packed, std::string_view what) {
  const std::size_t packed_size = packed.size();
  const std::uint64_t size = take_varint(packed, what);
  if (size > (packed_size + 1) * largest_deflate_ratio) fail(ErrorKind::data, "{}: damaged (impossible size)", what);
  std::string plain(size, '\0');
  uLongf got = size;
  const int status = uncompress(reinterpret_cast<Bytef*>(plain.data()), &got,
                                reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (status != Z_OK || got != size) fail(ErrorKind::data, "{}: damaged", what);
  return plain;
}

std::string pack_indices(const std::vector<int>& indices, int n) {
  std::string bits((static_cast<std::size_t>(n) + 7) / 8, '\0');
  for (const int i : indices) {
    require(i >= 0 && i < n, "index {} of a selection over {} tokens", i, n);
    char& byte = bits[static_cast<std::size_t>(i) / 8];
    byte = static_cast<char>(byte | (1 << (i % 8)));
  }
  return compress(bits);
}

std::vector<int> unpack_indices(std::string_view packed, int n) {
  const std::string bits = decompress(packed, "a selection");
  if (n < 0 || bits.size() != (static_cast<std::size_t>(n) + 7) / 8)
    fail(ErrorKind::data, "a selection: not over {} tokens", n);
  std::vector<int> indices;
  for (int i = 0; i < n; ++i) {
    if (static_cast<unsigned char>(bits[static_cast<std::size_t>(i) / 8]) >> (i % 8) & 1) indices.push_back(i);
  }
  return indices;
}

std::string pack_tokens(const TokenTable& tokens) {
  const bool spans = !tokens.begin.empty();
  require(!spans || (tokens.begin.size() == tokens.ids.size() && tokens.end.size() == tokens.ids.size()),
          "{} token ids with {} spans", tokens.ids.size(), tokens.begin.size());
  std::string plain;
  put_varint(plain, tokens.ids.size());
  put_varint(plain, spans ? 1 : 0);
  for (const std::int32_t id : tokens.ids) put_varint(plain, zigzag(id));
  std::int64_t at = 0;
  for (std::size_t i = 0; spans && i < tokens.ids.size(); ++i) {
    put_varint(plain, zigzag(tokens.begin[i] - at));
    put_varint(plain, zigzag(static_cast<std::int64_t>(tokens.end[i]) - tokens.begin[i]));
    at = tokens.end[i];
  }
  return compress(plain);
}

TokenTable unpack_tokens(std::string_view packed) {
  const std::string plain = decompress(packed, "a sample's tokens");
  std::string_view in = plain;
  const auto next = [&] { return take_varint(in, "a sample's tokens"); };
  TokenTable tokens;
  const std::uint64_t n = next();
  if (n > plain.size()) fail(ErrorKind::data, "a sample's tokens: damaged (impossible count)");
  const bool spans = next() == 1;
  for (std::uint64_t i = 0; i < n; ++i) tokens.ids.push_back(static_cast<std::int32_t>(unzigzag(next())));
  std::int64_t at = 0;
  for (std::uint64_t i = 0; spans && i < n; ++i) {
    const std::int64_t begin = at + unzigzag(next());
    at = begin + unzigzag(next());
    tokens.begin.push_back(static_cast<std::uint32_t>(begin));
    tokens.end.push_back(static_cast<std::uint32_t>(at));
  }
  return tokens;
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);   // NaN
  if (magnitude >= 0x477FF000U) return static_cast<std::uint16_t>(sign | 0x7C00U);  // ≥ 65520 rounds to infinity
  if (magnitude < 0x38800000U) {  // below 2^-14: a multiple of 2^-24, rounded by the addition
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;  // 0.5's last bit is 2^-24
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000U));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xFFFU + odd) >> 13));
}

float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (fraction << 13));
  if (exponent == 0)
    return std::copysign(static_cast<float>(fraction) * 0x1p-24F, std::bit_cast<float>(sign | 0x3F800000U));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

std::string pack_scores(const std::vector<float>& scores) {
  float largest = 0;
  for (const float s : scores) {
    if (std::isfinite(s)) largest = std::max(largest, std::abs(s));
  }
  int exponent = 0;
  std::frexp(largest, &exponent);  // largest < 2^exponent
  const float scale = largest > 0 ? std::ldexp(1.0F, std::max(exponent - 15, -126)) : 1.0F;
  std::string plain(sizeof scale, '\0');
  std::memcpy(plain.data(), &scale, sizeof scale);
  for (const float s : scores) {
    const std::uint16_t half = to_half(s / scale);
    plain += static_cast<char>(half & 0xFF);
    plain += static_cast<char>(half >> 8);
  }
  return compress(plain);
}

std::vector<float> unpack_scores(std::string_view packed) {
  const std::string plain = decompress(packed, "scores");
  float scale = 1;
  if (plain.size() < sizeof scale || plain.size() % 2 != 0) fail(ErrorKind::data, "scores: damaged");
  std::memcpy(&scale, plain.data(), sizeof scale);
  std::vector<float> scores;
  for (std::size_t i = sizeof scale; i < plain.size(); i += 2) {
    const auto low = static_cast<unsigned char>(plain[i]);
    const auto high = static_cast<unsigned char>(plain[i + 1]);
    scores.push_back(from_half(static_cast<std::uint16_t>(low | high << 8)) * scale);
  }
  return scores;
}

}  // namespace kvmend
