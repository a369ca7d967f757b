#pragma once
// What the cases work with: a device, sizes, and operands whose values are the same on every device.
#include <memory>
#include <vector>

#include "backend/backend.h"

namespace kvmend::selftest {

/// How large a case is: few and odd where results are compared, past the caches where time is taken.
struct Sizes {
  std::int64_t rows, width;           ///< of activations
  std::int64_t tokens, inner, outer;  ///< of products: rows, columns in and out
  std::int64_t queries, keys;         ///< of attention over a prompt
  std::int64_t cells, cell_keys;      ///< of a decode batch
  std::int64_t vocabulary;
  int heads, kv_heads, head_dim;
};
extern const Sizes kCompared, kTimedOnHost, kTimedOnCard;

class Workbench {
 public:
  Workbench(Backend& on, const Sizes& of) : backend(on), queue(on.make_queue()), sizes(of) {}

  Backend& backend;
  std::unique_ptr<Queue> queue;
  const Sizes sizes;

  DType compute() const { return backend.compute_dtype(); }
  /// Memory to be written. Every element is NaN (or −1) before: what an operation leaves out is seen.
  Tensor blank(std::int64_t rows, std::int64_t cols, DType dtype = DType::f32);
  /// About normal, with mean 0 and variance `scale`²: a function of `seed` and the element's index. The rows past the first
  /// million elements, which only timed cases have, repeat those before.
  Tensor values(std::int64_t rows, std::int64_t cols, unsigned seed, DType dtype = DType::f32, float scale = 1);
  Tensor index_list(const std::vector<std::int32_t>& indices);
  /// [count, 1]: numbers below `below`, in no order; distinct if there are enough.
  Tensor indices(std::int64_t count, std::int64_t below);
  /// Random stored blocks, as a model file has them.
  WeightPtr weight(std::int64_t outer, std::int64_t inner, StoredType type);
  Tensor table(std::int64_t rows, std::int64_t cols, StoredType type);
  /// Keys and values of a context in the compute type, every fifth row recomputed: it is read from the overlay.
  KvView context(std::int64_t keys, int kv_columns, unsigned seed);

  /// As float32, integers too; waits for the queue.
  std::vector<float> read(const Tensor& tensor);

 private:
  /// The first rows of [rows, cols] that the host makes and uploads; the device copies them over the rest.
  static std::int64_t made_rows(std::int64_t rows, std::int64_t cols);
  void repeat(const Tensor& tensor);
};

}  // namespace kvmend::selftest
