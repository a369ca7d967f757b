// What the chunk store keeps where: budgets of device and host, what leaves and what comes back.
#include "backend/device_error.h"
#include "cache/chunk_store.h"
#include "catch.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;

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
