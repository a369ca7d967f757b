#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace kvmend {

/// SHA-256 as 64 lower-case hex digits.
std::string sha256(std::string_view bytes);

/// SHA-256 of a file's content; throws Error(data) if it cannot be read to its end. The result is remembered in the
/// user's cache folder by path, size, mtime and inode, so that a large weight file is read once.
std::string sha256_file(const std::filesystem::path& path);

/// Fast 64-bit content hash (XXH3) for checksums and in-memory keys; not for identities that are stored.
std::uint64_t fast_hash(const void* data, std::size_t bytes, std::uint64_t seed = 0);

}  // namespace kvmend
