#pragma once
#include <filesystem>
#include <vector>

#include "core/file.h"
#include "model/gguf_metadata.h"
#include "model/stored_tensor.h"

namespace kvmend {

/// One GGUF file, version 2 or 3, little-endian: its metadata and its tensors' places. Opening checks every extent;
/// tensors do not overlap, lie inside the file and have a type of StoredType.
struct GgufFile {
  MappedFile map;
  GgufMetadata metadata;
  std::vector<StoredTensor> tensors;
};

/// Throws Error(data) naming file, byte and cause for anything that is not a sound GGUF file.
GgufFile read_gguf(const std::filesystem::path& path);

/// Whether the file starts with GGUF's magic number.
bool looks_like_gguf(const std::filesystem::path& path);

/// A whole GGUF model: the metadata of the first file and the tensors of all.
struct GgufModel {
  GgufMetadata metadata;
  TensorSet tensors;
};

/// Follows shards (NAME-00001-of-0000N.gguf, `split.count`). Throws Error(data) as read_gguf does, and for a shard
/// that is missing, out of order or not the first.
GgufModel read_gguf_model(const std::filesystem::path& path);

}  // namespace kvmend
