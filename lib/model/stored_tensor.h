#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/weight.h"
#include "core/file.h"

namespace kvmend {

/// A tensor where it lies in a mapped weight file.
struct StoredTensor {
  std::string name;                 ///< the file's own name for it
  std::string file;                 ///< path, for messages
  std::string type_name;            ///< the file's own name of the type
  std::optional<StoredType> type;   ///< none: a type we cannot read
  std::vector<std::int64_t> shape;  ///< outermost first: a matrix is [rows, cols]; products do not overflow
  std::span<const std::byte> bytes;
};

/// "[192, 576]"
std::string shape_text(std::span<const std::int64_t> shape);

/// The number of elements, or none if it does not fit 2^48 (no file holds that many).
std::optional<std::int64_t> element_count(std::span<const std::uint64_t> shape);

/// Throws Error(data) naming both tensors if two of them (of one file) share a byte.
void require_disjoint(std::span<const StoredTensor> tensors);

/// All tensors of a model, over one or several files that stay mapped with it.
class TensorSet {
 public:
  /// Throws Error(data) naming both files if the name is taken.
  void add(MappedFile file, std::vector<StoredTensor> tensors);
  const StoredTensor* find(std::string_view name) const;
  const std::map<std::string, StoredTensor, std::less<>>& all() const { return tensors_; }
  const std::vector<MappedFile>& files() const { return files_; }

 private:
  std::vector<MappedFile> files_;
  std::map<std::string, StoredTensor, std::less<>> tensors_;
};

}  // namespace kvmend
