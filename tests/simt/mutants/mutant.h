#pragma once
// Small kernels with a bug planted by a template parameter. Each must be noticed by some build under some schedule;
// without its bug each must be right in all of them.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "portable.cuh"

namespace mutants {

enum class Bug {
  none,
  missing_barrier,
  wrong_mask,
  early_exit,
  global_write_past_end,
  global_read_past_end,
  wrong_stride,
  misaligned_load,
  uninitialised_read,
  missing_tile_barrier,
  shared_past_end,
  exit_in_loop,
  off_by_one_tile,
  plain_increment,
  missing_syncwarp,
  missing_copy_wait,
  wrong_fragment,
  missing_stream_wait,
  missing_synchronise,
  default_stream,
  pageable_copy,
};

/// Runs a kernel with a bug; true if its result is right.
struct Mutant {
  const char* name;
  bool (*run)();
};
const std::vector<Mutant>& norm_mutants();
const std::vector<Mutant>& attention_mutants();
const std::vector<Mutant>& top_k_mutants();
const std::vector<Mutant>& gemm_mutants();
const std::vector<Mutant>& stream_mutants();

/// Device memory with a stream, for one test.
template <class T>
class Array {
 public:
  Array(std::size_t count, cudaStream_t stream) : count_(count), stream_(stream) {
    cudaMallocAsync(reinterpret_cast<void**>(&data_), count * sizeof(T), stream);
  }
  Array(const std::vector<T>& values, cudaStream_t stream) : Array(values.size(), stream) { upload(values); }
  ~Array() { cudaFreeAsync(data_, stream_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  T* get() const { return data_; }

  void upload(const std::vector<T>& values) {
    void* staging = nullptr;
    cudaMallocHost(&staging, count_ * sizeof(T));
    std::copy(values.begin(), values.end(), static_cast<T*>(staging));
    cudaMemcpyAsync(data_, staging, count_ * sizeof(T), cudaMemcpyHostToDevice, stream_);
    cudaStreamSynchronize(stream_);
    cudaFreeHost(staging);
  }
  std::vector<T> download(bool wait = true) const {
    void* staging = nullptr;
    cudaMallocHost(&staging, count_ * sizeof(T));
    cudaMemcpyAsync(staging, data_, count_ * sizeof(T), cudaMemcpyDeviceToHost, stream_);
    if (wait) cudaStreamSynchronize(stream_);
    std::vector<T> values(static_cast<T*>(staging), static_cast<T*>(staging) + count_);
    cudaFreeHost(staging);
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
  cudaStream_t stream_;
};

class Stream {
 public:
  Stream() { cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

inline std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(count);
  for (float& v : values) v = uniform(generator);
  return values;
}

/// A NaN is far from everything.
inline bool close(const std::vector<float>& a, const std::vector<float>& b, float bound) {
  bool all = a.size() == b.size();
  for (std::size_t i = 0; all && i < a.size(); ++i) all = std::abs(a[i] - b[i]) <= bound;
  return all;
}

}  // namespace mutants
