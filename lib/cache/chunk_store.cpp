#include "cache/chunk_store.h"

#include <chrono>
#include <cstdio>

#include "core/error.h"

namespace kvmend {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void warn_on_stderr(const std::string& message) { std::fprintf(stderr, "kvmend: %s\n", message.c_str()); }

}  // namespace

ChunkStore::ChunkStore(ChunkStoreOptions options)
    : options_(std::move(options)), on_device_(options_.memory_bytes), on_host_(options_.memory_bytes) {
  if (options_.memory_bytes < 0 || options_.disk_bytes < 0) {
    fail(ErrorKind::usage, "cache: a limit of {} bytes; it must not be negative",
         std::min(options_.memory_bytes, options_.disk_bytes));
  }
  if (options_.load_from == LoadFrom::disk && options_.folder.empty()) {
    fail(ErrorKind::usage, "load_from: disk needs chunk caches on disk; set cache: {{disk: on}}");
  }
  if (!options_.warn) options_.warn = warn_on_stderr;
  if (!options_.folder.empty()) folder_.emplace(options_.folder, options_.disk_bytes, options_.warn);
}

ChunkStore::Found ChunkStore::get(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make) {
  queue.finish();  // what is queued before is not ours to time
  const std::string digest = key.digest();
  Found found;
  switch (options_.load_from) {
    case LoadFrom::device: found = from_device(digest, backend, queue, make); break;
    case LoadFrom::host: found = from_host(digest, backend, queue, make); break;
    case LoadFrom::disk: found = from_disk(digest, backend, queue, make); break;
  }
  require(found.cache->tokens == static_cast<int>(key.unit_ids.size()), "a chunk cache of {} tokens for {} ids",
          found.cache->tokens, key.unit_ids.size());
  counted_.load_seconds += found.load_seconds;
  return found;
}

std::shared_ptr<const ChunkCache> ChunkStore::prefill(const Make& make) {
  ++counted_.misses;
  auto made = make();
  require(made != nullptr, "a prefill that made no cache");
  return made;
}

ChunkStore::Found ChunkStore::from_device(const std::string& digest, Backend& backend, Queue& queue, const Make& make) {
  if (auto cache = on_device_.find(digest)) {
    ++counted_.memory_hits;
    return {std::move(cache), 0};
  }
  Found found;
  if (folder_) {
    const auto start = Clock::now();
    if (const auto stored = folder_->read(digest, false)) {
      ++counted_.disk_hits;
      found = {upload_chunk(backend, queue, *stored), 0};
      found.load_seconds = seconds_since(start);
    }
  }
  if (!found.cache) {
    found.cache = prefill(make);
    if (folder_) folder_->write(digest, download_chunk(backend, queue, *found.cache));
  }
  on_device_.put(digest, found.cache, found.cache->bytes());
  return found;
}

ChunkStore::Found ChunkStore::from_host(const std::string& digest, Backend& backend, Queue& queue, const Make& make) {
  auto chunk = on_host_.find(digest);
  if (chunk) {
    ++counted_.memory_hits;
  } else {
    std::optional<HostChunk> stored;
    if (folder_ && (stored = folder_->read(digest, false))) {
      ++counted_.disk_hits;
    } else {
      stored = download_chunk(backend, queue, *prefill(make));
      if (folder_) folder_->write(digest, *stored);
    }
    chunk = std::make_shared<const HostChunk>(std::move(*stored));
    on_host_.put(digest, chunk, static_cast<std::int64_t>(chunk->payload().size()));
  }
  const auto start = Clock::now();
  auto cache = upload_chunk(backend, queue, *chunk);
  return {std::move(cache), seconds_since(start)};
}

ChunkStore::Found ChunkStore::from_disk(const std::string& digest, Backend& backend, Queue& queue, const Make& make) {
  for (const bool first_try : {true, false}) {
    const auto start = Clock::now();
    if (const auto stored = folder_->read(digest, true)) {
      auto cache = upload_chunk(backend, queue, *stored);
      const double seconds = seconds_since(start);
      if (first_try) ++counted_.disk_hits;
      return {std::move(cache), seconds};
    }
    if (first_try && !folder_->write(digest, download_chunk(backend, queue, *prefill(make)))) break;
  }
  fail(ErrorKind::data,
       "{}: load_from: disk cannot be measured: the chunk cache could not be stored there and read back",
       options_.folder.string());
}

ChunkStoreStats ChunkStore::stats() const {
  ChunkStoreStats stats = counted_;
  stats.memory_bytes = on_device_.bytes() + on_host_.bytes();
  stats.evicted = on_device_.evicted() + on_host_.evicted();
  if (folder_) {
    stats.bytes_read = folder_->bytes_read();
    stats.bytes_written = folder_->bytes_written();
    stats.rejected_files = folder_->rejected();
    stats.evicted_files = folder_->evicted();
  }
  return stats;
}

}  // namespace kvmend
