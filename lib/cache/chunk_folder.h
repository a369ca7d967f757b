#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>

#include "cache/chunk_file.h"

namespace kvmend {

/// Says something to the person at the terminal or in the log; one line without an end.
using Warn = std::function<void(const std::string&)>;

/// Chunk caches in a folder, one file a key, shared by any number of processes. What cannot be used is said once and
/// counts as missing; a folder that cannot be written is said once and not written again.
class ChunkFolder {
 public:
  /// `limit_bytes`: beyond it the files used longest ago are deleted. The folder is made on the first write.
  ChunkFolder(std::filesystem::path folder, std::int64_t limit_bytes, Warn warn);

  /// Of a file whose header is right; null if there is none.
  std::unique_ptr<ChunkFile> open(const std::string& digest, bool bypass_page_cache);
  /// Of a file that was opened and whose layers then turned out wrong: it goes or is not opened again; said once.
  void reject(const std::string& digest, const std::string& problem);
  /// All of it, verified; nullopt if there is none that can be used. The payload lies in the backend's host memory, if one
  /// is given. Throws OutOfMemory.
  std::optional<HostChunk> read(const std::string& digest, bool bypass_page_cache, Backend* backend = nullptr);
  /// False, and said, if it could not be written or is larger than the limit.
  bool write(const std::string& digest, const HostChunk& chunk);
  std::filesystem::path file_of(const std::string& digest) const;

  std::int64_t bytes_read() const { return bytes_read_; }
  std::int64_t bytes_written() const { return bytes_written_; }
  std::int64_t rejected() const { return rejected_; }  ///< files that were there and could not be used
  std::int64_t evicted() const { return evicted_; }

 private:
  void shrink(const std::filesystem::path& newest);
  void say_unusable(const std::string& digest, const std::string& problem);
  void note_use(const std::filesystem::path& path, const ChunkShape& shape);
  void warn_once(const std::string& topic, const std::string& message);

  std::filesystem::path folder_;
  std::int64_t limit_;
  Warn warn_;
  bool writable_ = true;
  std::int64_t known_bytes_ = 0;  ///< in the folder at the last look, plus what we wrote since
  /// Written since the last look. Other processes write too: we look again after every sixteenth of the limit.
  std::int64_t unseen_bytes_ = std::numeric_limits<std::int64_t>::max() / 2;
  std::int64_t bytes_read_ = 0, bytes_written_ = 0, rejected_ = 0, evicted_ = 0;
  std::set<std::string> said_;
  std::set<std::string> rejected_digests_;  ///< files that could not be removed either
};

}  // namespace kvmend
