#include <cstdlib>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "backend/host/block_cache.h"

using kvmend::BlockCache;

namespace {
void* block(std::size_t bytes) { return std::aligned_alloc(64, bytes); }
}  // namespace

TEST_CASE("a freed block serves the next request of its size, the youngest first") {
  BlockCache cache(1024);
  void* const first = block(256);
  void* const second = block(256);
  void* const other = block(512);
  cache.put(first, 256);
  cache.put(second, 256);
  cache.put(other, 512);
  CHECK(cache.bytes() == 1024);
  CHECK(cache.take(128) == nullptr);
  void* const a = cache.take(256);
  void* const b = cache.take(256);
  CHECK(a == second);
  CHECK(b == first);
  CHECK(cache.take(256) == nullptr);
  CHECK(cache.bytes() == 512);
  std::free(a);
  std::free(b);
}

TEST_CASE("beyond its limit the cache gives back what was freed longest ago") {
  BlockCache cache(512);
  cache.put(block(256), 256);
  cache.put(block(320), 320);  // 576 bytes: the 256 go
  CHECK(cache.bytes() == 320);
  CHECK(cache.take(256) == nullptr);
  cache.put(block(1024), 1024);  // never fits, and pushes nothing out
  CHECK(cache.bytes() == 320);
  cache.clear();
  CHECK(cache.bytes() == 0);
  CHECK(cache.take(320) == nullptr);
}

TEST_CASE("threads share a cache of blocks") {
  BlockCache cache(64 * 8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        void* taken = cache.take(64);
        if (taken == nullptr) taken = block(64);
        *static_cast<char*>(taken) = 1;
        cache.put(taken, 64);
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(cache.bytes() <= 64 * 8);
}
