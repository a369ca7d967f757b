#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "model/model.h"

namespace kvmend {

/// The KV cache of one unit prefilled alone: keys before RoPE (one float32 rotation places them anywhere) and values, in
/// the compute dtype. Immutable; shared by std::shared_ptr<const ChunkCache>.
struct ChunkCache {
  int tokens = 0;
  std::vector<LayerKv> layers;  ///< [n_layers], each [tokens, kv width]
  std::int64_t bytes() const;
};

/// Everything a chunk's cache depends on. A cache of another model, dtype, backend, sink or text has another digest.
/// A backend's instruction sets are not in it: a cache made on one machine serves another.
struct ChunkKey {
  std::string weights_sha256;
  std::string model;  ///< model_identity(): what the weights' hash does not cover, RoPE and its overrides above all
  DType dtype = DType::f32;
  std::string backend;  ///< "cpu", "reference", "cuda": their bits differ
  /// What the unit was prefilled behind, neighbours whose rows are dropped included.
  std::vector<std::int32_t> sink_ids;
  std::vector<std::int32_t> unit_ids;
  std::string digest() const;  ///< SHA-256 over all of it and the format version
};

/// Every field of a config that decides a key or a value, as text.
std::string model_identity(const ModelConfig& config);

}  // namespace kvmend
