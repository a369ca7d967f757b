#include "cache/chunk_store.h"

#include <fstream>

#include "backend/device_error.h"
#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;
namespace fs = std::filesystem;

namespace {

/// A device whose uploads want pinned memory, which comes in blocks of so many times the size, or, for 0, not at all.
class PinnedMemory final : public Backend {
 public:
  PinnedMemory(std::unique_ptr<Backend> device, std::size_t times) : device_(std::move(device)), times_(times) {}
  std::string name() const override { return device_->name(); }
  std::string description() const override { return device_->description(); }
  DType compute_dtype() const override { return device_->compute_dtype(); }
  int threads() const override { return device_->threads(); }
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override {
    return device_->allocate(dtype, rows, cols);
  }
  WeightPtr prepare(const WeightSource& source) override { return device_->prepare(source); }
  WeightPtr prepare(std::span<const WeightSource> sources) override { return device_->prepare(sources); }
  Tensor prepare_table(const WeightSource& source) override { return device_->prepare_table(source); }
  std::unique_ptr<Queue> make_queue() override { return device_->make_queue(); }
  HostMemory host_memory(std::size_t bytes) override {
    if (times_ == 0) throw OutOfMemory("no pinned memory");
    HostMemory memory = device_->host_memory(bytes);
    memory.held *= times_;
    return memory;
  }
  int decode_rows() const override { return device_->decode_rows(); }
  int max_decode_rows() const override { return device_->max_decode_rows(); }

 private:
  std::unique_ptr<Backend> device_;
  std::size_t times_;
};

}  // namespace

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

TEST_CASE("the memory budget holds for the device and for the host") {
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host}) {
    Bench bench({.memory_bytes = 2 * chunk_bytes(), .load_from = from});
    for (const int i : {1, 2, 1, 3}) bench.get(i);
    CHECK(bench.prefills == 3);
    bench.get(1);
    CHECK(bench.prefills == 3);
    bench.get(2);  // was used longest ago, so it went
    CHECK(bench.prefills == 4);
    CHECK(bench.store.stats().memory_bytes <= 3 * chunk_bytes());  // the last one may still have been in use
    CHECK(bench.store.stats().evicted >= 1);
  }
}

TEST_CASE("a cache in use is never made a second time, whatever the budget") {
  Bench bench({.memory_bytes = 0});
  const auto held = bench.get(1).cache;
  for (const int i : {2, 3, 4}) bench.get(i);
  CHECK(bench.get(1).cache == held);
  CHECK(bench.prefills == 4);
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

TEST_CASE("a damaged file is said once, rebuilt, and served from then on") {
  const TempFolder temp;
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host, LoadFrom::disk}) {
    ChunkStoreOptions options{.load_from = from, .folder = temp.path()};
    Bench(options).get(1);
    const fs::path file = temp.path() / (key_of(1).digest() + ".kvchunk");
    REQUIRE(fs::exists(file));
    fs::resize_file(file, 200);
    Bench bench(options);
    CHECK(same(bench.bits(*bench.get(1).cache), bench.expected(1)));
    CHECK(bench.prefills == 1);
    CHECK(bench.warnings->size() == 1);
    CHECK(bench.store.stats().rejected_files == 1);
    Bench next(options);
    next.get(1);
    CHECK(next.prefills == 0);
    CHECK(next.warnings->empty());
  }
}

TEST_CASE("a file whose last layer is damaged is said once and rebuilt, whoever finds out") {
  const TempFolder temp;
  const fs::path file = temp.path() / (key_of(1).digest() + ".kvchunk");
  for (const LoadFrom from : {LoadFrom::device, LoadFrom::host, LoadFrom::disk}) {
    ChunkStoreOptions options{.load_from = from, .folder = temp.path()};
    Bench(options).get(1);
    std::string content = read_file(file);
    content.back() = static_cast<char>(~content.back());
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
    Bench bench(options);
    CHECK(same(bench.bits(*bench.get(1).cache), bench.expected(1)));
    CHECK(bench.prefills == 1);
    CHECK(bench.warnings->size() == 1);
    CHECK(bench.store.stats().rejected_files == 1);
    CHECK(same(bench.bits(*bench.get(1).cache), bench.expected(1)));
    CHECK(bench.prefills == 1);
  }
}

TEST_CASE("without a writable folder a run goes on, but load_from: disk says that it cannot measure") {
  const TempFolder temp;
  std::ofstream(temp.path() / "file") << "x";
  const fs::path folder = temp.path() / "file" / "chunks";
  Bench bench({.memory_bytes = 0, .folder = folder});
  for (const int i : {1, 2, 1}) CHECK(same(bench.bits(*bench.get(i).cache), bench.expected(i)));
  CHECK(bench.warnings->size() == 1);

  Bench disk({.load_from = LoadFrom::disk, .folder = folder});
  try {
    disk.get(1);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK(std::string(error.what()).find("load_from: disk") != std::string::npos);
  }
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

TEST_CASE("what leaves a device with memory of its own goes to the host, and is copied from there") {
  Bench bench({.memory_bytes = 2 * chunk_bytes(), .host_bytes = 2 * chunk_bytes()});
  for (const int i : {1, 2, 3, 4, 5}) bench.get(i);
  const ChunkStoreStats stats = bench.store.stats();
  CHECK(bench.prefills == 5);
  CHECK(stats.spilled >= 2);
  CHECK(stats.memory_bytes <= 5 * chunk_bytes());
  const auto again = bench.get(2);  // among the last to leave
  CHECK(bench.prefills == 5);
  CHECK(again.load_seconds > 0);
  CHECK(same(bench.bits(*again.cache), bench.expected(2)));
  bench.get(5);
  CHECK(bench.prefills == 5);
  bench.store.release_unused(*bench.backend, *bench.queue);
  bench.get(5);
  CHECK(bench.prefills == 5);  // to the host as well
}

TEST_CASE("a request that uses more than the device has room for has the rest in host memory") {
  Bench bench({.memory_bytes = 2 * chunk_bytes(), .host_bytes = 4 * chunk_bytes()});
  std::vector<ChunkStore::Opened> held;
  for (const int seed : {1, 2, 3, 4}) held.push_back(bench.open(seed));
  CHECK(held[1].cache);
  for (const int i : {2, 3}) {
    CHECK_FALSE(held[static_cast<std::size_t>(i)].cache);
    REQUIRE(held[static_cast<std::size_t>(i)].host);
    CHECK(same(*held[static_cast<std::size_t>(i)].host, bench.expected(i + 1)));
  }
  CHECK(bench.store.stats().spilled == 2);
  CHECK(bench.open(3).host == held[2].host);  // as long as there is no room
  held.clear();
  bench.store.release_unused(*bench.backend, *bench.queue);
  CHECK(bench.open(3).cache);
  CHECK(bench.prefills == 4);
}

TEST_CASE("a chunk comes back to the device in place of those that nobody uses, which go to the host") {
  Bench bench({.memory_bytes = 2 * chunk_bytes(), .host_bytes = 8 * chunk_bytes()});
  for (const int seed : {1, 2, 3, 4}) bench.get(seed);  // 3 and 4 are there, used by nobody
  const auto first = bench.open(1);
  CHECK(first.cache);
  CHECK(first.load_seconds > 0);
  CHECK(same(bench.bits(*first.cache), bench.expected(1)));
  const auto second = bench.open(2);
  CHECK(second.cache);
  CHECK_FALSE(bench.open(3).cache);  // both places are in use
  CHECK(bench.open(1).cache == first.cache);
  CHECK(bench.open(2).cache == second.cache);
  CHECK(bench.prefills == 4);
}

TEST_CASE("a chunk that would not fit beside those in use drives nothing away") {
  Bench bench({.memory_bytes = 3 * chunk_bytes(), .host_bytes = 9 * chunk_bytes()});
  bench.get(1, 6);  // of two chunks' size
  const auto held = bench.open(2);
  bench.get(3);
  bench.get(4);  // 1 has left; 2, 3 and 4 are there
  const std::int64_t spilled = bench.store.stats().spilled;
  const auto held_too = bench.open(3);
  CHECK_FALSE(bench.open(1, 6).cache);
  CHECK(bench.open(4).cache);
  CHECK(bench.open(4).load_seconds == 0);
  CHECK(bench.store.stats().spilled == spilled);
  CHECK(bench.prefills == 4);
}

TEST_CASE("a cache stays on the device, over its budget, where host memory runs out") {
  Bench bench({.memory_bytes = chunk_bytes(), .host_bytes = 4 * chunk_bytes()});
  bench.backend = std::make_unique<PinnedMemory>(std::move(bench.backend), 0);
  const auto first = bench.open(1), second = bench.open(2);
  CHECK(first.cache);
  CHECK(second.cache);
  CHECK(bench.open(2).cache == second.cache);
  CHECK(bench.prefills == 2);
  CHECK(bench.store.stats().spilled == 0);
}

TEST_CASE("of host memory what is held counts, not what of it is used") {
  Bench bench({.memory_bytes = 4 * chunk_bytes(), .load_from = LoadFrom::host});
  bench.backend = std::make_unique<PinnedMemory>(std::move(bench.backend), 2);
  for (const int seed : {1, 2, 3}) bench.get(seed);
  CHECK(bench.store.stats().memory_bytes == 4 * chunk_bytes());
  CHECK(bench.store.stats().evicted == 1);
}
