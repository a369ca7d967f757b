#include <set>

#include "cache/chunk_cache.h"
#include "catch.h"
#include "sample_chunks.h"

using namespace kvmend;

TEST_CASE("every part of a key changes its digest") {
  std::set<std::string> digests;
  const ChunkKey base = testing::key_of(1);
  digests.insert(base.digest());
  CHECK(base.digest() == testing::key_of(1).digest());
  CHECK(base.digest().size() == 64);

  const auto changed = [&](auto change) {
    ChunkKey key = base;
    change(key);
    CHECK(digests.insert(key.digest()).second);
  };
  changed([](ChunkKey& k) { k.weights_sha256[0] = k.weights_sha256[0] == '0' ? '1' : '0'; });
  changed([](ChunkKey& k) { k.model += " rope 2"; });
  changed([](ChunkKey& k) { k.dtype = DType::bf16; });
  changed([](ChunkKey& k) { k.backend = "cpu"; });
  changed([](ChunkKey& k) { k.sink_ids = {1}; });
  changed([](ChunkKey& k) { k.unit_ids.push_back(1); });
  changed([](ChunkKey& k) { k.unit_ids.pop_back(); });
}

TEST_CASE("ids and texts cannot move from one part of a key to the next") {
  ChunkKey a = testing::key_of(1), b = a;
  a.sink_ids = {7};
  a.unit_ids = {8, 9};
  b.sink_ids = {7, 8};
  b.unit_ids = {9};
  CHECK(a.digest() != b.digest());
  a = b = testing::key_of(1);
  a.model = "m1";
  a.backend = "x";
  b.model = "m";
  b.backend = "1x";
  CHECK(a.digest() != b.digest());
}

TEST_CASE("a model's identity follows what decides its keys and values, not its name") {
  ModelConfig config;
  config.architecture = "llama";
  config.n_layers = 2;
  const std::string base = model_identity(config);
  const auto with = [&](auto change) {
    ModelConfig other = config;
    change(other);
    return model_identity(other);
  };
  CHECK(with([](ModelConfig& c) { c.name = "another name"; }) == base);
  CHECK(with([](ModelConfig& c) { c.context_length = 77; }) == base);

  std::set<std::string> seen{base};
  const auto differs = [&](auto change) { CHECK(seen.insert(with(change)).second); };
  differs([](ModelConfig& c) { c.architecture = "qwen2"; });
  differs([](ModelConfig& c) { c.n_layers = 3; });
  differs([](ModelConfig& c) { c.n_kv_heads = 3; });
  differs([](ModelConfig& c) { c.norm_eps = 1e-6F; });
  differs([](ModelConfig& c) { c.norm = NormKind::layer; });
  differs([](ModelConfig& c) { c.norm_place = NormPlace::around; });
  differs([](ModelConfig& c) { c.position = PositionKind::learned; });
  differs([](ModelConfig& c) { c.window_rope = RopeConfig{}; });
  differs([](ModelConfig& c) { c.causal = false; });
  differs([](ModelConfig& c) { c.attention_scale = 0.1F; });
  differs([](ModelConfig& c) { c.token_types = 2; });
  differs([](ModelConfig& c) { c.activation = Activation::gelu; });
  differs([](ModelConfig& c) { c.qkv_bias = true; });
  differs([](ModelConfig& c) { c.qk_norm = true; });
  differs([](ModelConfig& c) { c.embedding_scale = 2; });
  differs([](ModelConfig& c) { c.sliding_window = 8; });
  differs([](ModelConfig& c) { c.windowed = {true, false}; });
  differs([](ModelConfig& c) { c.rope.base = 500000; });
  differs([](ModelConfig& c) { c.rope.scaling = RopeConfig::Scaling::linear; });
  differs([](ModelConfig& c) { c.rope.factor = 2; });
  differs([](ModelConfig& c) { c.rope.truncate = false; });
  differs([](ModelConfig& c) { c.rope.original_context = 8192; });
  differs([](ModelConfig& c) { c.rope.frequency_factors = {1, 2}; });
}
