// What a backend does whose device memory is the host's.
#include <chrono>
#include <deque>
#include <new>

#include "backend/backend.h"
#include "backend/device_error.h"

namespace kvmend {
namespace {

class ImmediateUploads final : public Uploads {
 public:
  explicit ImmediateUploads(std::unique_ptr<Queue> queue) : queue_(std::move(queue)) {}
  std::int64_t begin(const Tensor& to, std::span<const std::byte> from) override {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    queue_->upload_raw(to, from);
    queue_->finish();
    seconds_.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    return next_++;
  }
  double wait(std::int64_t number) override {
    require(number < next_, "upload {} of {}", number, next_);
    double seconds = 0;
    for (; next_ - static_cast<std::int64_t>(seconds_.size()) <= number; seconds_.pop_front())
      seconds += seconds_.front();
    return seconds;
  }

 private:
  std::unique_ptr<Queue> queue_;
  std::deque<double> seconds_;  ///< of the copies that were not waited for
  std::int64_t next_ = 0;
};

}  // namespace

std::unique_ptr<Uploads> Backend::make_uploads() { return std::make_unique<ImmediateUploads>(make_queue()); }

HostMemory Backend::host_memory(std::size_t bytes) {
  try {
    return {std::shared_ptr<std::byte[]>(new std::byte[bytes]), bytes};
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(fmt::format("not enough host memory: {} bytes asked for; lower cache: {{memory}}", bytes));
  }
}

}  // namespace kvmend
