#include "cache/arriving_chunk.h"

namespace kvmend {

StaleChunk::StaleChunk(ChunkFolder& folder, std::string digest, std::string problem)
    : Error(ErrorKind::data, fmt::format("{}: {}", folder.file_of(digest).string(), problem)),
      folder_(&folder),
      digest_(std::move(digest)),
      problem_(std::move(problem)) {}

ArrivingChunk::ArrivingChunk(ChunkFolder& folder, std::string digest, std::unique_ptr<ChunkFile> file, Backend* backend)
    : folder_(folder), digest_(std::move(digest)), file_(std::move(file)), chunk_(file_->shape(), backend) {}

void ArrivingChunk::read(int layers) {
  const std::lock_guard lock(reading_);
  for (; read_ < layers; ++read_) {
    if (auto problem = file_->read_layer(read_, chunk_); !problem.empty())
      throw StaleChunk(folder_, digest_, std::move(problem));
  }
}

}  // namespace kvmend
