// Time on the card, by events: the host does not wait for it.
#include "backend/cuda/cuda_queue.h"

namespace kvmend::cuda {

namespace {

struct EventMark final : Queue::Mark {
  EventMark() { check(cudaEventCreateWithFlags(&event, cudaEventDefault), "making an event"); }
  ~EventMark() override { cudaEventDestroy(event); }
  EventMark(const EventMark&) = delete;
  EventMark& operator=(const EventMark&) = delete;
  cudaEvent_t event = nullptr;
};

}  // namespace

Queue::MarkPtr CudaQueue::mark() {
  auto mark = std::make_shared<EventMark>();
  check(cudaEventRecord(mark->event, stream()), "marking a time");
  return mark;
}

double CudaQueue::seconds_between(const Mark& from, const Mark& to) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, dynamic_cast<const EventMark&>(from).event,
                             dynamic_cast<const EventMark&>(to).event),
        "reading a time");
  return milliseconds / 1e3;
}

}  // namespace kvmend::cuda
