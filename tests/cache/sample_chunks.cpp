#include "sample_chunks.h"

#include "catch.h"

#include <algorithm>
#include <random>

#include "core/hash.h"

namespace kvmend::testing {

namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "kvmend-cache-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

HostChunk host_chunk(int seed, ChunkShape shape) {
  HostChunk chunk(shape);
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  // Bytes of numbers, not of NaNs: exponents stay small in both types.
  for (std::byte& byte : chunk.payload()) byte = static_cast<std::byte>(random() & 0x3f);
  return chunk;
}

bool same(const HostChunk& a, const HostChunk& b) {
  return a.shape() == b.shape() && std::ranges::equal(a.payload(), b.payload());
}

std::string digest_of(int seed) { return sha256(std::to_string(seed)); }

ChunkKey key_of(int seed, int tokens) {
  ChunkKey key;
  key.weights_sha256 = sha256("weights");
  key.model = "llama 2 layers";
  key.backend = "reference";
  key.unit_ids.assign(static_cast<std::size_t>(tokens), seed);
  return key;
}

std::int64_t chunk_bytes(int tokens) { return ChunkShape{DType::f32, 2, tokens, 4}.payload_bytes(); }

namespace {
ChunkStoreOptions with_warnings(ChunkStoreOptions options, const std::shared_ptr<std::vector<std::string>>& warnings) {
  options.warn = [warnings](const std::string& message) { warnings->push_back(message); };
  return options;
}
}  // namespace

Bench::Bench(ChunkStoreOptions options, DType dtype)
    : backend(make_backend({.device = "reference", .dtype = dtype})),
      queue(backend->make_queue()),
      store(with_warnings(std::move(options), warnings)) {}

HostChunk Bench::expected(int seed, int tokens) const {
  return host_chunk(seed, {backend->compute_dtype(), 2, tokens, 4});
}

ChunkKey Bench::key(int seed, int tokens) const {
  ChunkKey key = key_of(seed, tokens);
  key.dtype = backend->compute_dtype();
  return key;
}

ChunkStore::Make Bench::prefill(int seed, int tokens) {
  return [this, seed, tokens] {
    ++prefills;
    return upload_chunk(*backend, *queue, expected(seed, tokens));
  };
}

ChunkStore::Found Bench::get(int seed, int tokens) {
  return store.get(key(seed, tokens), *backend, *queue, prefill(seed, tokens));
}

ChunkStore::Opened Bench::open(int seed, int tokens) {
  return store.open(key(seed, tokens), *backend, *queue, prefill(seed, tokens));
}

}  // namespace kvmend::testing
