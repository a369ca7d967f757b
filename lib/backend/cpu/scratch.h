#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "backend/host/host_buffer.h"

namespace kvmend {

/// Memory for intermediate values that grows to what operations ask for and is kept between them.
class Scratch {
 public:
  /// At least `count` floats, aligned to 64 bytes, uninitialised; what was there before is lost.
  float* floats(std::int64_t count) {
    const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
    if (!buffer_ || buffer_->bytes() < bytes) {
      buffer_.reset();  // before the new one: at most one is alive
      buffer_ = std::make_unique<HostBuffer>(bytes);
    }
    return reinterpret_cast<float*>(buffer_->data());
  }

 private:
  std::unique_ptr<HostBuffer> buffer_;
};

}  // namespace kvmend
