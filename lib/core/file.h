#pragma once
#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace kvmend {

/// A read-only memory map of a whole file. Movable; the bytes live as long as the object.
class MappedFile {
 public:
  /// Throws Error(data) if the file cannot be opened or mapped, or is no regular one. An empty file maps to an empty span.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Whether there is something at `path` that we may look at. Never throws.
bool path_exists(const std::filesystem::path& path);

/// Whole content; throws Error(data) naming the file.
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary name in the same folder (made if missing), then renames: readers see all or nothing.
/// Throws Error(data) (a full disk included) and leaves no temporary behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);
/// The same, for content in pieces that follow each other.
void write_file_atomically(const std::filesystem::path& path, std::initializer_list<std::string_view> pieces);

/// $XDG_CACHE_HOME/kvmend or ~/.cache/kvmend; without either variable kvmend-cache in the folder for temporary files.
std::filesystem::path user_cache_dir();

}  // namespace kvmend
