#include "backend/cuda/staging.h"

#include "backend/cuda/cuda_error.h"
#include "core/error.h"

namespace kvmend::cuda {

namespace {

constexpr std::size_t kBlocks = 4, kAlignment = 256;

std::byte* pinned(std::size_t bytes) {
  void* address = nullptr;
  check(cudaMallocHost(&address, bytes), "allocating pinned memory");
  return static_cast<std::byte*>(address);
}

}  // namespace

Staging::Staging(cudaStream_t stream) : stream_(stream), blocks_(kBlocks) {}

Staging::~Staging() {
  for (const Block& block : blocks_) {
    if (block.left != nullptr) cudaEventDestroy(block.left);
    if (block.data != nullptr) cudaFreeHost(block.data);
  }
  if (landing_ != nullptr) cudaFreeHost(landing_);
}

std::byte* Staging::piece(std::size_t bytes) {
  require(bytes <= kPiece, "a copy of {} bytes in one piece", bytes);
  if (used_ + bytes > kPiece) {
    check(cudaEventRecord(blocks_[block_].left, stream_), "marking a copy's end");
    block_ = (block_ + 1) % kBlocks;
    used_ = 0;
    if (blocks_[block_].left != nullptr) check(cudaEventSynchronize(blocks_[block_].left), "waiting for a copy");
  }
  Block& block = blocks_[block_];
  if (block.data == nullptr) {
    block.data = pinned(kPiece);
    check(cudaEventCreateWithFlags(&block.left, cudaEventDisableTiming), "making an event");
  }
  std::byte* out = block.data + used_;
  used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return out;
}

std::byte* Staging::landing() {
  if (landing_ == nullptr) landing_ = pinned(kPiece);
  return landing_;
}

}  // namespace kvmend::cuda
