#include "cache/chunk_folder.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/error.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view extension = ".kvchunk";
/// A temporary this old belongs to a process that was killed.
constexpr std::chrono::hours abandoned{1};

struct File {
  fs::path path;
  std::int64_t bytes = 0;
  fs::file_time_type used;
};

/// Our files in a folder; what is not ours is left alone, what vanishes meanwhile is not there.
std::vector<File> scan(const fs::path& folder) {
  std::vector<File> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find(extension) != 64) continue;
    std::error_code gone;
    const auto bytes = static_cast<std::int64_t>(entry->file_size(gone));
    const auto used = entry->last_write_time(gone);
    if (gone) continue;
    const bool temporary = name.size() > 64 + extension.size();
    if (temporary && used + abandoned < fs::file_time_type::clock::now()) {
      fs::remove(entry->path(), gone);
    } else if (!temporary) {
      files.push_back({entry->path(), bytes, used});
    }
  }
  return files;
}

}  // namespace

ChunkFolder::ChunkFolder(fs::path folder, std::int64_t limit_bytes, Warn warn)
    : folder_(std::move(folder)), limit_(limit_bytes), warn_(std::move(warn)) {}

fs::path ChunkFolder::file_of(const std::string& digest) const { return folder_ / (digest + std::string(extension)); }

void ChunkFolder::warn_once(const std::string& topic, const std::string& message) {
  if (said_.insert(topic).second && warn_) warn_(message);
}

std::optional<HostChunk> ChunkFolder::read(const std::string& digest, bool bypass_page_cache, Backend* backend) {
  ReadChunk found = read_chunk_file(file_of(digest), digest, bypass_page_cache, backend);
  if (!found.problem.empty()) say_unusable(digest, found.problem);
  if (found.chunk) note_use(file_of(digest), found.chunk->shape());
  return std::move(found.chunk);
}

std::unique_ptr<ChunkFile> ChunkFolder::open(const std::string& digest, bool bypass_page_cache) {
  if (rejected_digests_.contains(digest)) return nullptr;
  OpenedFile found = open_chunk_file(file_of(digest), digest, bypass_page_cache);
  if (!found.problem.empty()) say_unusable(digest, found.problem);
  if (found.file) note_use(file_of(digest), found.file->shape());
  return std::move(found.file);
}

void ChunkFolder::reject(const std::string& digest, const std::string& problem) {
  std::error_code ignored;
  if (!fs::remove(file_of(digest), ignored)) rejected_digests_.insert(digest);
  say_unusable(digest, problem);
}

void ChunkFolder::say_unusable(const std::string& digest, const std::string& problem) {
  ++rejected_;
  warn_once(digest, fmt::format("{}: {}; the chunk is prefilled again", file_of(digest).string(), problem));
}

void ChunkFolder::note_use(const fs::path& path, const ChunkShape& shape) {
  bytes_read_ += chunk_file_bytes(shape);
  std::error_code ignored;  // a file we may read but not touch is only deleted a little early
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
}

bool ChunkFolder::write(const std::string& digest, const HostChunk& chunk) {
  if (!writable_) return false;
  const std::int64_t bytes = chunk_file_bytes(chunk.shape());
  if (bytes > limit_) {
    warn_once("limit", fmt::format("{}: a chunk cache of {} bytes is larger than the folder's limit of {} bytes; it is "
                                   "not kept on disk",
                                   folder_.string(), bytes, limit_));
    return false;
  }
  const fs::path path = file_of(digest);
  try {
    write_chunk_file(path, digest, chunk);
  } catch (const Error& error) {
    writable_ = false;
    warn_once("write", fmt::format("{}; the run goes on without writing chunk caches to disk", error.what()));
    return false;
  }
  rejected_digests_.erase(digest);
  bytes_written_ += bytes;
  known_bytes_ += bytes;
  unseen_bytes_ += bytes;
  if (known_bytes_ > limit_ || unseen_bytes_ > limit_ / 16) shrink(path);
  return true;
}

void ChunkFolder::shrink(const fs::path& newest) {
  std::vector<File> files = scan(folder_);
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.used < b.used; });
  known_bytes_ = unseen_bytes_ = 0;
  for (const File& file : files) known_bytes_ += file.bytes;
  for (const File& file : files) {
    if (known_bytes_ <= limit_) break;
    std::error_code ignored;
    if (file.path == newest || !fs::remove(file.path, ignored)) continue;
    known_bytes_ -= file.bytes;
    ++evicted_;
  }
}

}  // namespace kvmend
