#include "cache/chunk_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;

namespace {

constexpr std::size_t header_bytes = 128;

struct Written {
  TempFolder folder;
  std::filesystem::path path = folder.path() / "chunk";
  HostChunk chunk = host_chunk(1);
  std::string digest = digest_of(1);
  std::string content;

  Written() {
    write_chunk_file(path, digest, chunk);
    content = read_file(path);
  }
  void put(const std::string& bytes) const { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }
  ReadChunk read() const { return read_chunk_file(path, digest, false); }
};

/// The header's own hash made right again: what a file holds that was written wrong, not damaged.
std::string rehash(std::string content) {
  const std::uint64_t hash = fast_hash(content.data(), 120);
  std::memcpy(content.data() + 120, &hash, sizeof hash);
  return content;
}

}  // namespace

TEST_CASE("a chunk file gives back what was written, with and without the page cache") {
  const Written written;
  CHECK(written.content.size() == header_bytes + 2 * sizeof(std::uint64_t) + static_cast<std::size_t>(chunk_bytes()));
  CHECK(static_cast<std::int64_t>(written.content.size()) == chunk_file_bytes(written.chunk.shape()));
  for (const bool bypass : {false, true}) {
    const ReadChunk found = read_chunk_file(written.path, written.digest, bypass);
    CHECK(found.problem.empty());
    REQUIRE(found.chunk);
    CHECK(same(*found.chunk, written.chunk));
  }
}

TEST_CASE("bf16 and every odd shape survive") {
  const TempFolder folder;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const ChunkShape& shape :
         {ChunkShape{dtype, 1, 1, 1}, ChunkShape{dtype, 3, 1, 7}, ChunkShape{dtype, 1, 513, 5}}) {
      const HostChunk chunk = host_chunk(7, shape);
      write_chunk_file(folder.path() / "c", digest_of(2), chunk);
      const ReadChunk found = read_chunk_file(folder.path() / "c", digest_of(2), false);
      REQUIRE(found.chunk);
      CHECK(same(*found.chunk, chunk));
    }
  }
}

TEST_CASE("a file that is not there is no problem") {
  const TempFolder folder;
  CHECK(read_chunk_file(folder.path() / "none", digest_of(1), false).problem.empty());
  CHECK_FALSE(read_chunk_file(folder.path() / "none" / "deeper", digest_of(1), false).chunk);
}

TEST_CASE("every damaged byte is found") {
  const Written written;
  for (std::size_t at = 0; at < written.content.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string bad = written.content;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      written.put(bad);
      const ReadChunk found = written.read();
      INFO("byte " << at);
      REQUIRE_FALSE(found.chunk);
      REQUIRE_FALSE(found.problem.empty());
    }
  }
}

TEST_CASE("random damage to a large payload is found") {
  const TempFolder folder;
  const HostChunk chunk = host_chunk(3, {DType::bf16, 4, 200, 64});
  write_chunk_file(folder.path() / "c", digest_of(3), chunk);
  const std::string content = read_file(folder.path() / "c");
  const std::size_t payload = header_bytes + 4 * sizeof(std::uint64_t);
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    std::string bad = content;
    const std::size_t at = payload + random() % (content.size() - payload);
    bad[at] = static_cast<char>(bad[at] ^ (1 + static_cast<int>(random() % 255)));
    std::ofstream(folder.path() / "c", std::ios::binary | std::ios::trunc) << bad;
    const ReadChunk found = read_chunk_file(folder.path() / "c", digest_of(3), false);
    REQUIRE_FALSE(found.chunk);
    REQUIRE(found.problem == "corrupt payload");
  }
}

TEST_CASE("layers are verified one by one, and a file that is replaced stays what it was when it was opened") {
  const Written written;
  std::string bad = written.content;
  bad.back() = static_cast<char>(~bad.back());
  written.put(bad);
  const OpenedFile damaged = open_chunk_file(written.path, written.digest, false);
  REQUIRE(damaged.file);
  HostChunk chunk(damaged.file->shape());
  CHECK(damaged.file->read_layer(0, chunk).empty());
  CHECK(std::ranges::equal(chunk.part(0, true), written.chunk.part(0, true)));
  CHECK(damaged.file->read_layer(1, chunk) == "corrupt payload");

  write_chunk_file(written.path, written.digest, written.chunk);
  const OpenedFile right = open_chunk_file(written.path, written.digest, false);
  REQUIRE(right.file);
  write_chunk_file(written.path, digest_of(2), host_chunk(2));
  for (const int layer : {1, 0}) CHECK(right.file->read_layer(layer, chunk).empty());
  CHECK(same(chunk, written.chunk));
}

TEST_CASE("a file cut anywhere or with something behind it is refused") {
  const Written written;
  for (std::size_t size = 0; size < written.content.size(); ++size) {
    written.put(written.content.substr(0, size));
    const ReadChunk found = written.read();
    INFO("cut to " << size);
    REQUIRE_FALSE(found.chunk);
    REQUIRE_FALSE(found.problem.empty());
  }
  written.put(written.content + '\0');
  CHECK(written.read().problem.find("truncated or extended") != std::string::npos);
}

TEST_CASE("each kind of foreign file is named") {
  const Written written;
  const auto problem = [&](const std::string& content) {
    written.put(content);
    const ReadChunk found = written.read();
    CHECK_FALSE(found.chunk);
    return found.problem;
  };
  CHECK(problem("GGUF" + std::string(200, 'x')) == "not a chunk cache");
  CHECK(problem(std::string(4096, '\0')) == "not a chunk cache");

  std::string other = written.content;
  std::reverse(other.begin() + 8, other.begin() + 12);
  CHECK(problem(other) == "written on a machine of the other byte order");

  other = written.content;
  other[12] = 1;
  CHECK(problem(rehash(other)) == "format version 1, this build reads 2");

  write_chunk_file(written.path, digest_of(99), written.chunk);
  CHECK(written.read().problem == "the cache of another key");
}

TEST_CASE("hostile shapes with a right hash are refused before memory is taken") {
  const Written written;
  const auto with = [&](std::size_t at, std::initializer_list<std::uint32_t> words, std::uint64_t payload) {
    std::string content = written.content;
    for (const std::uint32_t word : words) {
      std::memcpy(content.data() + at, &word, sizeof word);
      at += sizeof word;
    }
    if (payload != 0) std::memcpy(content.data() + 96, &payload, sizeof payload);
    written.put(rehash(content));
    return written.read();
  };
  const std::uint32_t huge = 0x7fffffff;
  CHECK_FALSE(with(84, {huge, huge, huge}, 0).problem.empty());
  CHECK_FALSE(with(84, {huge, huge, huge}, 0xffffffffffffffff).problem.empty());
  CHECK_FALSE(with(84, {0}, 0).problem.empty());
  CHECK_FALSE(with(88, {0xffffffff}, 0).problem.empty());
  CHECK_FALSE(with(92, {0}, 0).problem.empty());
  CHECK_FALSE(with(80, {2}, 0).problem.empty());    // i32 is no compute dtype
  CHECK_FALSE(with(80, {257}, 0).problem.empty());  // 257 cut to a byte would be 1, bf16
  CHECK_FALSE(with(88, {1 << 20}, std::uint64_t{2} * 2 * (1 << 20) * 4 * 4).problem.empty());
}

TEST_CASE("what is no regular file is refused and does not block") {
  const TempFolder folder;
  CHECK(read_chunk_file(folder.path(), digest_of(1), false).problem == "not a regular file");
  REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  CHECK(read_chunk_file(folder.path() / "pipe", digest_of(1), false).problem == "not a regular file");
}

TEST_CASE("a write that fails leaves neither file nor temporary") {
  const TempFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  CHECK_THROWS_AS(write_chunk_file(folder.path() / "file" / "c", digest_of(1), host_chunk(1)), Error);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
