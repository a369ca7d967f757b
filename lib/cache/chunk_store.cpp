#include "cache/chunk_store.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "backend/device_error.h"
#include "core/error.h"

namespace kvmend {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void warn_on_stderr(const std::string& message) { std::fprintf(stderr, "kvmend: %s\n", message.c_str()); }

}  // namespace

ChunkStore::ChunkStore(ChunkStoreOptions options)
    : options_(std::move(options)),
      on_device_(options_.memory_bytes),
      on_host_(options_.host_bytes > 0 ? options_.host_bytes : options_.memory_bytes) {
  const std::int64_t least = std::min({options_.memory_bytes, options_.host_bytes, options_.disk_bytes});
  if (least < 0) {
    fail(ErrorKind::usage, "cache: a limit of {} bytes; it must not be negative", least);
  }
  if (options_.load_from == LoadFrom::disk && options_.folder.empty()) {
    fail(ErrorKind::usage, "load_from: disk needs chunk caches on disk; set cache: {{disk: on}}");
  }
  if (!options_.warn) options_.warn = warn_on_stderr;
  if (!options_.folder.empty()) folder_.emplace(options_.folder, options_.disk_bytes, options_.warn);
}

ChunkStore::Found ChunkStore::get(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make) {
  for (bool first_try = true;; first_try = false) {
    Opened opened = open(key, backend, queue, make);
    const HostChunk* from = opened.off_device();
    if (!from) return {std::move(opened.cache), opened.load_seconds};
    const auto start = Clock::now();
    try {
      if (opened.arriving) opened.arriving->read_all();
    } catch (const StaleChunk& stale) {
      if (!first_try) throw;
      stale.reject();
      continue;
    }
    auto cache = upload_chunk(backend, queue, *from);
    const double seconds = seconds_since(start);
    counted_.load_seconds += seconds;
    return {std::move(cache), opened.load_seconds + seconds};
  }
}

ChunkStore::Opened ChunkStore::Opened::on_device(std::shared_ptr<const ChunkCache> cache, double load_seconds) {
  return {.cache = std::move(cache), .load_seconds = load_seconds};
}

ChunkStore::Opened ChunkStore::Opened::in_host_memory(std::shared_ptr<const HostChunk> host, double load_seconds) {
  return {.host = std::move(host), .load_seconds = load_seconds};
}

ChunkStore::Opened ChunkStore::Opened::on_disk(std::shared_ptr<ArrivingChunk> arriving, double load_seconds) {
  return {.arriving = std::move(arriving), .load_seconds = load_seconds};
}

const HostChunk* ChunkStore::Opened::off_device() const {
  if (cache) return nullptr;
  return arriving ? &arriving->chunk() : host.get();
}

int ChunkStore::Opened::tokens() const { return cache ? cache->tokens : off_device()->shape().tokens; }

ChunkStore::Opened ChunkStore::open(const ChunkKey& key, Backend& backend, Queue& queue, const Make& make) {
  queue.finish();  // what is queued before is not ours to time
  const std::string digest = key.digest();
  Opened found;
  switch (options_.load_from) {
    case LoadFrom::device: found = from_device(digest, backend, queue, make); break;
    case LoadFrom::host: found = from_host(digest, backend, queue, make); break;
    case LoadFrom::disk: found = from_disk(digest, backend, queue, make); break;
  }
  require(found.tokens() == static_cast<int>(key.unit_ids.size()), "a chunk cache of {} tokens for {} ids",
          found.tokens(), key.unit_ids.size());
  counted_.load_seconds += found.load_seconds;
  return found;
}

std::shared_ptr<const ChunkCache> ChunkStore::prefill(const Make& make) {
  ++counted_.misses;
  auto made = make();
  require(made != nullptr, "a prefill that made no cache");
  return made;
}

std::shared_ptr<const HostChunk> ChunkStore::keep_on_host(const std::string& digest, HostChunk chunk) {
  auto kept = std::make_shared<const HostChunk>(std::move(chunk));
  on_host_.put(digest, kept, kept->held_bytes());
  return kept;
}

ChunkStore::Opened ChunkStore::from_device(const std::string& digest, Backend& backend, Queue& queue,
                                           const Make& make) {
  if (auto cache = on_device_.find(digest)) {
    ++counted_.memory_hits;
    return Opened::on_device(std::move(cache));
  }
  Opened found;
  if (auto chunk = on_host_.find(digest)) {  // it had to leave the device
    ++counted_.memory_hits;
    const std::int64_t others = options_.memory_bytes - static_cast<std::int64_t>(chunk->payload().size());
    if (on_device_.pinned_bytes() > others) return Opened::in_host_memory(std::move(chunk));
    make_room(others, backend, queue);  // what nobody uses now goes first: else it would keep this one off for ever
    const auto start = Clock::now();
    found.cache = upload_chunk(backend, queue, *chunk);
    found.load_seconds = seconds_since(start);
    on_host_.erase(digest);
    on_device_.put(digest, found.cache, found.cache->bytes());
    return found;
  }
  if (folder_) {
    const auto start = Clock::now();
    if (const auto stored = folder_->read(digest, false, &backend)) {
      ++counted_.disk_hits;
      found.cache = upload_chunk(backend, queue, *stored);
      found.load_seconds = seconds_since(start);
    }
  }
  if (!found.cache) {
    found.cache = prefill(make);
    if (folder_) folder_->write(digest, download_chunk(backend, queue, *found.cache));
  }
  on_device_.put(digest, found.cache, found.cache->bytes(),
                 [&](const std::string& name, const auto& leaving) { spill(name, *leaving, backend, queue); });
  // A request that uses more than there is room for has the rest in host memory, where that has room.
  if (on_device_.bytes() <= options_.memory_bytes) return found;
  auto host = spill(digest, *found.cache, backend, queue);
  if (!host) return found;
  on_device_.erase(digest);
  return Opened::in_host_memory(std::move(host), found.load_seconds);
}

/// Null where it does not fit into host memory either: what then leaves the device is prefilled again.
std::shared_ptr<const HostChunk> ChunkStore::spill(const std::string& digest, const ChunkCache& cache, Backend& backend,
                                                   Queue& queue) {
  if (options_.host_bytes < cache.bytes()) return nullptr;
  try {
    auto host = keep_on_host(digest, download_chunk(backend, queue, cache));
    ++counted_.spilled;
    return host;
  } catch (const OutOfMemory&) {
    on_host_.trim_to(0);
    return nullptr;
  }
}

void ChunkStore::make_room(std::int64_t limit, Backend& backend, Queue& queue) {
  on_device_.trim_to(limit,
                     [&](const std::string& name, const auto& leaving) { spill(name, *leaving, backend, queue); });
}

void ChunkStore::release_unused(Backend& backend, Queue& queue) { make_room(0, backend, queue); }

ChunkStore::Opened ChunkStore::from_host(const std::string& digest, Backend& backend, Queue& queue, const Make& make) {
  if (auto chunk = on_host_.find(digest)) {
    ++counted_.memory_hits;
    return Opened::in_host_memory(std::move(chunk));
  }
  std::optional<HostChunk> stored;
  if (folder_ && (stored = folder_->read(digest, false, &backend))) {
    ++counted_.disk_hits;
  } else {
    stored = download_chunk(backend, queue, *prefill(make));
    if (folder_) folder_->write(digest, *stored);
  }
  return Opened::in_host_memory(keep_on_host(digest, std::move(*stored)));
}

ChunkStore::Opened ChunkStore::from_disk(const std::string& digest, Backend& backend, Queue& queue, const Make& make) {
  for (const bool first_try : {true, false}) {
    const auto start = Clock::now();
    if (auto file = folder_->open(digest, true)) {
      if (first_try) ++counted_.disk_hits;
      auto arriving = std::make_shared<ArrivingChunk>(*folder_, digest, std::move(file), &backend);
      return Opened::on_disk(std::move(arriving), seconds_since(start));
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
