#include "cache/chunk_store.h"

#include <cstring>

#include "catch.h"
#include "core/error.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;
namespace fs = std::filesystem;

TEST_CASE("a chunk is prefilled once and has the same bits wherever it comes from") {
  const TempFolder temp;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const LoadFrom from : {LoadFrom::device, LoadFrom::host, LoadFrom::disk}) {
      const fs::path folder = temp.path() / std::to_string(static_cast<int>(from));
      Bench bench({.load_from = from, .folder = folder}, dtype);
      for (int i = 0; i < 3; ++i) CHECK(same(bench.bits(*bench.get(1).cache), bench.expected(1)));
      CHECK(bench.prefills == 1);
      Bench next({.load_from = from, .folder = folder}, dtype);  // the next process: from disk, no prefill
      CHECK(same(next.bits(*next.get(1).cache), next.expected(1)));
      CHECK(next.prefills == 0);
      CHECK(next.store.stats().disk_hits == 1);
      CHECK(bench.warnings->empty());
    }
  }
}

TEST_CASE("load seconds: nothing from the device, something from host and disk, also right after the prefill") {
  const TempFolder temp;
  Bench device;
  CHECK(device.get(1).load_seconds == 0);
  CHECK(device.get(1).load_seconds == 0);
  Bench host({.load_from = LoadFrom::host});
  CHECK(host.get(1).load_seconds > 0);
  CHECK(host.get(1).load_seconds > 0);
  Bench disk({.load_from = LoadFrom::disk, .folder = temp.path()});
  CHECK(disk.get(1).load_seconds > 0);
  CHECK(disk.get(1).load_seconds > 0);
  CHECK(disk.store.stats().bytes_read == 2 * chunk_file_bytes({DType::f32, 2, 3, 4}));
  CHECK(disk.store.stats().memory_bytes == 0);
  Bench again({.folder = temp.path()});
  CHECK(again.get(1).load_seconds > 0);  // it had to come from the disk
  CHECK(again.get(1).load_seconds == 0);
}

TEST_CASE("caches of another model, dtype or sink are never served") {
  const TempFolder temp;
  Bench bench({.folder = temp.path()});
  ChunkKey key = key_of(1);
  const auto get = [&](const ChunkKey& wanted, int seed) {
    return bench.bits(*bench.store
                           .get(wanted, *bench.backend, *bench.queue,
                                [&] { return upload_chunk(*bench.backend, *bench.queue, host_chunk(seed)); })
                           .cache);
  };
  CHECK(same(get(key, 1), host_chunk(1)));
  ChunkKey other = key;
  other.weights_sha256[0] = 'f';
  CHECK(same(get(other, 2), host_chunk(2)));
  other = key;
  other.model += "; rope factor 2";
  CHECK(same(get(other, 3), host_chunk(3)));
  other = key;
  other.sink_ids = {5};
  CHECK(same(get(other, 4), host_chunk(4)));
  CHECK(same(get(key, 9), host_chunk(1)));
  // And not when somebody renames a file.
  CHECK(bench.store.stats().misses == 4);
  fs::rename(temp.path() / (key.digest() + ".kvchunk"), temp.path() / (other.digest() + ".kvchunk"));
  Bench next({.folder = temp.path()});
  int prefills = 0;
  const auto found = next.store.get(other, *next.backend, *next.queue, [&] {
    ++prefills;
    return upload_chunk(*next.backend, *next.queue, host_chunk(4));
  });
  CHECK(prefills == 1);
  CHECK(same(next.bits(*found.cache), host_chunk(4)));
  CHECK(next.warnings->size() == 1);
}

TEST_CASE("options that cannot work are refused") {
  CHECK_THROWS_AS(ChunkStore({.load_from = LoadFrom::disk}), Error);
  CHECK_THROWS_AS(ChunkStore({.memory_bytes = -1}), Error);
  CHECK_THROWS_AS(ChunkStore({.disk_bytes = -1}), Error);
}

TEST_CASE("a prefill that throws leaves the store as it was") {
  Bench bench;
  CHECK_THROWS_AS(bench.store.get(key_of(1), *bench.backend, *bench.queue,
                                  []() -> std::shared_ptr<const ChunkCache> { fail(ErrorKind::device, "no memory"); }),
                  Error);
  CHECK(bench.store.stats().memory_bytes == 0);
  CHECK(same(bench.bits(*bench.get(1).cache), bench.expected(1)));
}

TEST_CASE("views of larger tensors are stored dense") {
  Bench bench;
  const auto wide = bench.backend->allocate(DType::f32, 5, 12);
  std::vector<float> numbers(60);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  bench.queue->upload(wide, std::span<const float>(numbers));
  ChunkCache cache{3, {{wide.row_range(1, 3).col_range(0, 4), wide.row_range(1, 3).col_range(8, 4)}}};
  const HostChunk chunk = bench.bits(cache);
  std::vector<float> found(24);
  std::memcpy(found.data(), chunk.payload().data(), chunk.payload().size());
  CHECK(found[0] == 12);
  CHECK(found[4] == 24);
  CHECK(found[12] == 20);
  CHECK(found[23] == 47);
}
