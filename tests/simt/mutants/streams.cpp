// What the host does wrong: order between streams, waiting, the lives of memory.
#include <memory>

#include "mutant.h"

namespace mutants {

namespace {

__global__ void add_one(float* out, const float* x, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) out[i] = x[i] + 1;
}

template <Bug bug>
bool run() {
  constexpr int n = 100;
  const Stream first, second;
  const std::vector<float> x = random_values(n, 5);
  std::vector<float> expected = x;
  for (float& v : expected) v = v + 1 + 1;
  const Array<float> in(x, first), middle(n, first);
  const Array<float> out(n, second);
  if (bug == Bug::pageable_copy) cudaMemcpyAsync(in.get(), x.data(), n * sizeof(float), cudaMemcpyHostToDevice, first);
  (void)KVMEND_LAUNCH(add_one, 1, 128, 0, bug == Bug::default_stream ? nullptr : static_cast<cudaStream_t>(first),
                      middle.get(), in.get(), n);
  cudaEvent_t done = nullptr;
  cudaEventCreateWithFlags(&done, cudaEventDisableTiming);
  cudaEventRecord(done, first);
  if (bug != Bug::missing_stream_wait) cudaStreamWaitEvent(second, done, 0);
  (void)KVMEND_LAUNCH(add_one, 1, 128, 0, second, out.get(), middle.get(), n);
  const std::vector<float> got = out.download(bug != Bug::missing_synchronise);
  cudaStreamSynchronize(second);
  cudaStreamSynchronize(first);
  cudaEventDestroy(done);
  return close(got, expected, 1e-6F);
}

/// Frees what a queued kernel still reads.
bool use_after_free() {
  constexpr int n = 100;
  const Stream first, second;
  const std::vector<float> x = random_values(n, 5);
  std::vector<float> expected = x;
  for (float& v : expected) v += 1;
  auto in = std::make_unique<Array<float>>(x, first);
  const float* address = in->get();
  const Array<float> out(n, second);
  in.reset();
  cudaStreamSynchronize(first);
  (void)KVMEND_LAUNCH(add_one, 1, 128, 0, second, out.get(), address, n);
  return close(out.download(), expected, 1e-6F);
}

/// Writes to what was freed.
bool write_after_free() {
  constexpr int n = 100;
  const Stream stream;
  const std::vector<float> x = random_values(n, 5);
  const Array<float> in(x, stream);
  auto out = std::make_unique<Array<float>>(n, stream);
  float* address = out->get();
  out.reset();
  (void)KVMEND_LAUNCH(add_one, 1, 128, 0, stream, address, in.get(), n);
  cudaStreamSynchronize(stream);
  return true;
}

}  // namespace

const std::vector<Mutant>& stream_mutants() {
  static const std::vector<Mutant> all{
      {"streams", run<Bug::none>},
      {"streams: missing wait for another stream", run<Bug::missing_stream_wait>},
      {"streams: missing synchronisation", run<Bug::missing_synchronise>},
      {"streams: default stream", run<Bug::default_stream>},
      {"streams: copy from pageable memory", run<Bug::pageable_copy>},
      {"streams: read after free", use_after_free},
      {"streams: write after free", write_after_free},
  };
  return all;
}

}  // namespace mutants
