// Files that are damaged, and a folder that cannot be written.
#include <fstream>

#include "cache/chunk_store.h"
#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;
namespace fs = std::filesystem;

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
