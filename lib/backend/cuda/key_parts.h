#pragma once
#include <algorithm>
#include <cstdint>

namespace kvmend::cuda {

/// Into how many parts a call's keys are cut so that its blocks fill the card. Uncut it has `blocks` of up to `vectors`
/// query vectors each, of which `places` run at a time. In units of an uncut block's time the call takes a part's length
/// for each wave of blocks, and for each part what its results cost: 8 bytes a vector and column, written and read again,
/// beside a key's 4, so as much as 2 · vectors keys (a model, not measured). Of what takes about the same, the fewest
/// parts. An H100 (132 multiprocessors of two blocks) cuts 128 blocks of 128 vectors over 8192 keys in two, an A100 (108),
/// where two would leave the second wave with 40 blocks, in three.
constexpr int key_parts(std::int64_t blocks, std::int64_t places, std::int64_t keys, std::int64_t vectors) {
  constexpr std::int64_t keys_of_part = 512, most_parts = 32;
  const std::int64_t most = std::clamp<std::int64_t>(keys / keys_of_part, 1, most_parts);
  const auto time = [&](std::int64_t parts) {
    const auto waves = static_cast<double>((blocks * parts + places - 1) / places), n = static_cast<double>(parts);
    return waves / n + (parts == 1 ? 0 : n * 2 * static_cast<double>(vectors) / static_cast<double>(keys));
  };
  double shortest = time(1);
  for (std::int64_t parts = 2; parts <= most; ++parts) shortest = std::min(shortest, time(parts));
  std::int64_t parts = 1;
  while (time(parts) > 1.05 * shortest) ++parts;
  return static_cast<int>(parts);
}

}  // namespace kvmend::cuda
