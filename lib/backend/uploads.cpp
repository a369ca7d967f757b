// What a backend does whose device memory is the host's.
#include <new>

#include "backend/backend.h"
#include "backend/device_error.h"

namespace kvmend {
namespace {

class ImmediateUploads final : public Uploads {
 public:
  explicit ImmediateUploads(std::unique_ptr<Queue> queue) : queue_(std::move(queue)) {}
  std::int64_t begin(const Tensor& to, std::span<const std::byte> from) override {
    queue_->upload_raw(to, from);
    queue_->finish();
    return next_++;
  }
  void wait(std::int64_t number) override { require(number < next_, "upload {} of {}", number, next_); }

 private:
  std::unique_ptr<Queue> queue_;
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Uploads> Backend::make_uploads() { return std::make_unique<ImmediateUploads>(make_queue()); }

std::shared_ptr<std::byte[]> Backend::host_memory(std::size_t bytes) {
  try {
    return std::shared_ptr<std::byte[]>(new std::byte[bytes]);
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(fmt::format("not enough host memory: {} bytes asked for; lower cache: {{memory}}", bytes));
  }
}

}  // namespace kvmend
