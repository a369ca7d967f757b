#pragma once
// How the store packs what is large: texts, tokens, selections, scores.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "experiment/selection/token_table.h"

namespace kvmend {

/// zlib behind the plain size. decompress throws Error(data) if the bytes are no such thing; `what` names them.
std::string compress(std::string_view plain);
std::string decompress(std::string_view packed, std::string_view what);

/// A set of indices in [0, n) as a compressed bitmap, bit i of byte i/8. `indices` are sorted and unique.
std::string pack_indices(const std::vector<int>& indices, int n);
std::vector<int> unpack_indices(std::string_view packed, int n);

/// Ids and byte spans as differences.
std::string pack_tokens(const TokenTable& tokens);
TokenTable unpack_tokens(std::string_view packed);

/// IEEE half precision, round to nearest even; beyond 65504 becomes infinity.
std::uint16_t to_half(float value);
float from_half(std::uint16_t half);

/// Scores as halves times one power of two, which puts the largest magnitude near 2^15: the ranking of small scores
/// survives. Little-endian float32 scale, then the halves, compressed.
std::string pack_scores(const std::vector<float>& scores);
std::vector<float> unpack_scores(std::string_view packed);

}  // namespace kvmend
