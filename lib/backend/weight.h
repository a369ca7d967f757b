#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace kvmend {

/// How a weight file stores a matrix: GGUF's types (safetensors use the first three).
enum class StoredType : std::uint8_t { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k };
std::string_view stored_type_name(StoredType type);  // "Q4_K"

/// A matrix [rows, cols] in a weight file, row-major, `rows` the output features. The file's bytes stay mapped
/// while the source is used; a backend takes what it needs and lets go.
struct WeightSource {
  std::string name;
  std::int64_t rows = 0, cols = 0;
  StoredType type = StoredType::f32;
  std::span<const std::byte> raw = {};  ///< the stored rows back to back; empty: only read_rows has them
  /// Which of the stored rows is row i; empty: they are in order.
  std::function<std::int64_t(std::int64_t row)> stored_row = {};
  /// Dequantises rows [first, first + count) to out[count * cols]. Thread-safe.
  std::function<void(std::int64_t first, std::int64_t count, float* out)> read_rows = {};
};

/// What a model's matrices take, known before any of them is read; zeros: not known.
struct WeightNeeds {
  std::int64_t elements = 0;          ///< of all that are multiplied with
  std::int64_t stored_bytes = 0;      ///< of the same as the file has them
  std::int64_t table_elements = 0;    ///< of the embedding table
  std::int64_t largest_elements = 0;  ///< of the largest that is multiplied with at once
};

/// A matrix prepared for matmul by a backend (packed, rounded, possibly still quantised). Opaque.
class Weight {
 public:
  virtual ~Weight() = default;
  std::int64_t rows = 0, cols = 0;  ///< output and input features
  std::int64_t bytes = 0;           ///< on the device: what one multiplication reads
};
using WeightPtr = std::shared_ptr<const Weight>;

}  // namespace kvmend
