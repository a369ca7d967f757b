#pragma once
#include <memory>
#include <span>

#include "cache/chunk_cache.h"
#include "model/model.h"

namespace kvmend {

/// Prefills `unit` alone behind `sink` at positions 0, 1, 2 … and keeps the unit's rows: keys before RoPE, and values.
std::shared_ptr<const ChunkCache> prefill_chunk(const Model& model, Queue& queue, std::span<const std::int32_t> sink,
                                                std::span<const std::int32_t> unit);

}  // namespace kvmend
