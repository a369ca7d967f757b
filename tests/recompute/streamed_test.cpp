// Chunk caches that lie in host memory or on disk: copied layer by layer ahead of their use, with the same bits.
#include "recompute/chunk_stream.h"

#include <filesystem>
#include <fstream>

#include "cache/chunk_store.h"
#include "catch.h"
#include "core/file.h"
#include "paths.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/tested_devices.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("a cell's bits and costs do not depend on where chunk caches lie", "[card]") {
  const RandomModel files(8);
  const Request request = random_request({7, 30, 21}, true, 9);
  const std::filesystem::path folder = binary_folder() + "/streamed_test";
  for (const auto& [device, dtype] : tested_settings()) {
    CAPTURE(device, dtype_name(dtype));
    Engine on_device(files, {device, dtype, 2});
    for (const char* name : {"reuse", "cacheblend", "prophetkv", "infoflow_reorder", "agentkvshift"}) {
      CAPTURE(name);
      const auto expected = run_cell(on_device, request, strategy(name), 0.3);
      CHECK(expected.outcome.seconds.load == 0);
      for (const LoadFrom from : {LoadFrom::host, LoadFrom::disk}) {
        Engine engine(files, {device, dtype, 2}, {.load_from = from, .folder = folder});
        const auto cell = run_cell(engine, request, strategy(name), 0.3);
        CHECK(cell.logits == expected.logits);
        CHECK(cell.outcome.selected == expected.outcome.selected);
        CHECK(cell.outcome.flops == expected.outcome.flops);
        CHECK(cell.outcome.bytes == expected.outcome.bytes);
        CHECK(cell.outcome.seconds.load > 0);
        CHECK(cell.outcome.seconds.place > 0);
        CHECK(cell.outcome.seconds.recompute >= 0);
      }
    }
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("cells go on over chunk files that turn out to be damaged while they are read") {
  const RandomModel files(4);
  const Request request = random_request({5, 9, 8, 7}, true, 3);
  const std::filesystem::path folder = binary_folder() + "/damaged_test";
  std::filesystem::remove_all(folder);
  const std::vector<CellSpec> cells{
      {strategy("reuse"), 0}, {strategy("cacheblend"), 0.4}, {strategy("prophetkv"), 0.4}};
  RunnerOptions options;
  options.decode.max_new_tokens = 3;
  Engine on_device(files, {"cpu", DType::f32, 2});
  const auto expected = run_request(on_device, request, cells, options);
  const auto run = [&](std::vector<std::string>& said) {
    ChunkStoreOptions store{.load_from = LoadFrom::disk, .folder = folder};
    store.warn = [&](const std::string& message) { said.push_back(message); };
    Engine engine(files, {"cpu", DType::f32, 2}, store);
    const auto outcomes = run_request(engine, request, cells, options);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CHECK(outcomes[i].error.empty());
      CHECK(outcomes[i].prediction_ids == expected[i].prediction_ids);
      CHECK(outcomes[i].selected == expected[i].selected);
    }
    return engine.store().stats();
  };
  std::vector<std::string> said;
  CHECK(run(said).misses == 4);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {  // each in its last layer
    std::string content = read_file(entry.path());
    content.back() = static_cast<char>(~content.back());
    std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << content;
  }
  CHECK(said.empty());
  const auto stats = run(said);
  CHECK(stats.rejected_files == 4);
  CHECK(stats.misses == 4);
  CHECK(said.size() == 4);
  said.clear();
  CHECK(run(said).misses == 0);
  CHECK(said.empty());
  std::filesystem::remove_all(folder);
}

TEST_CASE("a stream hands out each layer of the chunks it has, in order", "[card]") {
  for (const auto& [device, dtype] : tested_settings()) {
    const auto backend = make_backend({.device = device, .dtype = dtype});
    const auto queue = backend->make_queue();
    const ChunkShape shape{dtype, 5, 3, 4};
    auto chunk = std::make_shared<HostChunk>(shape, backend.get());
    for (std::size_t i = 0; i < chunk->payload().size(); ++i) chunk->payload()[i] = static_cast<std::byte>(i % 63);
    ChunkStream stream(*backend, {{}, {.host = chunk}});
    for (int layer = 0; layer < shape.n_layers; ++layer) {
      const std::vector<LayerKv> got = stream.next_layer();
      REQUIRE(got.size() == 2);
      CHECK_FALSE(got[0].k);
      for (const bool values : {false, true}) {
        std::vector<std::byte> bytes(chunk->part(layer, values).size());
        queue->download_raw(bytes, values ? got[1].v : got[1].k);
        queue->finish();
        CHECK(std::equal(bytes.begin(), bytes.end(), chunk->part(layer, values).begin()));
      }
    }
    CHECK_THROWS(stream.next_layer());
  }
}

TEST_CASE("a chunk's bytes reach the device and come back from memory that copies are fastest from, and from any",
          "[card]") {
  for (const auto& [device, dtype] : tested_settings()) {
    const auto backend = make_backend({.device = device, .dtype = dtype});
    const auto queue = backend->make_queue();
    const ChunkShape shape{dtype, 2, 1200, 1024};  // a part is larger than what is staged at once
    for (const bool fast : {true, false}) {
      HostChunk chunk(shape, fast ? backend.get() : nullptr);
      for (std::size_t i = 0; i < chunk.payload().size(); ++i) chunk.payload()[i] = static_cast<std::byte>(i * 7 % 61);
      const auto cache = upload_chunk(*backend, *queue, chunk);
      std::fill(chunk.payload().begin(), chunk.payload().end(), std::byte{0});  // the device has it
      const HostChunk back = download_chunk(*backend, *queue, *cache);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < back.payload().size(); ++i) {
        wrong += back.payload()[i] != static_cast<std::byte>(i * 7 % 61) ? 1 : 0;
      }
      CHECK(wrong == 0);
    }
  }
}
