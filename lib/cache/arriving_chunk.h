#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "cache/chunk_folder.h"
#include "core/error.h"

namespace kvmend {

/// A chunk's file was opened and then turned out to be damaged: with reject() it is gone, and what is started again
/// prefills the chunk.
class StaleChunk : public Error {
 public:
  StaleChunk(ChunkFolder& folder, std::string digest, std::string problem);
  const std::string& digest() const { return digest_; }
  void reject() const { folder_->reject(digest_, problem_); }

 private:
  ChunkFolder* folder_;
  std::string digest_, problem_;
};

/// A chunk cache whose layers come from its file when somebody first asks for them. Any thread may ask.
class ArrivingChunk {
 public:
  /// Takes host memory of the backend for all layers; throws OutOfMemory. The folder outlives it.
  ArrivingChunk(ChunkFolder& folder, std::string digest, std::unique_ptr<ChunkFile> file, Backend* backend);

  const ChunkShape& shape() const { return chunk_.shape(); }
  /// Returns when the first `layers` layers are in chunk(). Throws StaleChunk.
  void read(int layers);
  void read_all() { read(shape().n_layers); }
  /// Layers that were not read yet hold anything.
  const HostChunk& chunk() const { return chunk_; }

 private:
  ChunkFolder& folder_;
  std::string digest_;
  std::unique_ptr<ChunkFile> file_;
  HostChunk chunk_;
  std::mutex reading_;
  int read_ = 0;  ///< layers
};

}  // namespace kvmend
