#pragma once
// A device: its memory, its weights, its queues of operations (queue.h).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "backend/queue.h"
#include "backend/tensor.h"
#include "backend/weight.h"

namespace kvmend {

/// Copies from host memory that run beside a queue's work, one after the other in the order they were begun.
class Uploads {
 public:
  virtual ~Uploads() = default;
  /// Begins to copy stored bytes to a dense tensor that nothing queued uses; returns the copy's number, from 0. `from` stays
  /// as it is until wait() has returned for that number.
  virtual std::int64_t begin(const Tensor& to, std::span<const std::byte> from) = 0;
  /// Returns when that copy and all before it are on the device: what queues are given from then on may read them. The
  /// seconds that the copies took which nobody had waited for.
  virtual double wait(std::int64_t number) = 0;
  /// What queues are given from then on runs behind that copy and all before it, without the host's waiting for them. They are
  /// waited for all the same, later: until then the copies keep their tensors.
  virtual void order(std::int64_t number) = 0;
};

/// What a device does at best: products in the compute dtype on registers alone, and reading memory that no cache holds.
/// A CPU's is measured, on all threads; a card's is reckoned from its clocks and units, as data sheets do.
struct Peak {
  double flops = 0;  ///< a second; 0: not measured
  double bytes = 0;  ///< a second
};

/// Bytes of a device; zeros: it does not say.
struct DeviceMemory {
  std::int64_t free = 0, total = 0;
};

/// Bytes of the host that copies are made from and to.
struct HostMemory {
  std::shared_ptr<std::byte[]> data;
  std::size_t held = 0;  ///< bytes that are gone while it lives, at least as many as were asked for
};

/// A device: owns memory, prepares weights, makes queues.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;         ///< "reference", "cpu", "cuda"
  virtual std::string description() const = 0;  ///< for people: instruction set, threads, how bf16 is done
  virtual DType compute_dtype() const = 0;      ///< f32 or bf16
  virtual int threads() const = 0;
  /// A card's compute capability, 80 for 8.0; 0: this is none.
  virtual int capability() const { return 0; }

  /// What allocate() may still have, if nothing else takes it. Waits for the device.
  virtual DeviceMemory memory() { return {}; }
  /// Uninitialised memory. Throws OutOfMemory (device_error.h) with the numbers when there is not enough.
  virtual Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) = 0;
  /// Told once a model, before its first matrix is prepared: a backend with little memory decides by it how to keep them.
  /// Throws OutOfMemory with the numbers and what to try where they do not fit.
  virtual void expect_weights(const WeightNeeds&) {}
  /// Told behind the last weight what requests take, and again where memory ran out: it is got ready now, so that no layer
  /// waits for it.
  virtual void expect_work(std::int64_t) {}
  virtual WeightPtr prepare(const WeightSource& source) = 0;
  /// Several matrices over the same input as one, stacked by rows (Q, K and V; gate and up).
  virtual WeightPtr prepare(std::span<const WeightSource> sources) = 0;
  /// A matrix kept as rows in the compute dtype: the embedding table.
  virtual Tensor prepare_table(const WeightSource& source) = 0;
  virtual std::unique_ptr<Queue> make_queue() = 0;
  /// Where host and device share their memory a copy is done when it has begun.
  virtual std::unique_ptr<Uploads> make_uploads();
  /// Host memory that uploads are fastest from (pinned, where that is a thing). Throws OutOfMemory.
  virtual HostMemory host_memory(std::size_t bytes);
  /// Rows a decode batch is padded to so that a row's bits do not depend on how many others there are;
  /// 1 where products of up to max_decode_rows() rows give each row bits of its own.
  virtual int decode_rows() const = 0;
  /// The most rows a decode batch may have.
  virtual int max_decode_rows() const = 0;
  /// Rows that go through a layer's products together, at most most_product_rows: enough for the matmul's peak, few enough
  /// that the MLP's inner activations stay in a processor's cache and a long prompt's do not fill the memory.
  virtual int product_rows() const { return 512; }
  static constexpr int most_product_rows = 2048;
  /// Takes about a second; zeros where the backend does not know.
  virtual Peak measure_peak() { return {}; }
};

/// How a card keeps quantised matrices; products have the same bits either way.
enum class WeightStorage : std::uint8_t {
  automatic,  ///< in the compute dtype if that fits, else as stored
  computed,   ///< in the compute dtype
  stored,     ///< as the file stores them, dequantised for each product
};

struct BackendOptions {
  std::string device = "auto";  ///< cpu | reference | cuda | cuda:N; auto: cpu, whatever cards there are
  DType dtype = DType::f32;
  int threads = 0;  ///< 0: all processors of this process
  WeightStorage weights = WeightStorage::automatic;
  std::int64_t work_bytes = 0;  ///< what a request takes besides weights: a device with memory of its own keeps it free
};
/// Throws Error(usage) for an unknown device, Error(device) for one that is missing.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

}  // namespace kvmend
