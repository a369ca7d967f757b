#include "model/stored_tensor.h"

#include <algorithm>

#include "core/error.h"
#include "model/in_quotes.h"

namespace kvmend {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::optional<std::int64_t> element_count(std::span<const std::uint64_t> shape) {
  constexpr std::uint64_t most = std::uint64_t{1} << 48U;
  std::uint64_t count = 1;
  for (const std::uint64_t size : shape) {
    // Each factor is bounded by itself, so that a zero cannot hide an absurd one.
    if (size > most || (size > 0 && count > most / size)) return std::nullopt;
    count *= size;
  }
  return static_cast<std::int64_t>(count);
}

void require_disjoint(std::span<const StoredTensor> tensors) {
  std::vector<const StoredTensor*> order;
  for (const auto& tensor : tensors) {
    if (!tensor.bytes.empty()) order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->bytes.data() < b->bytes.data(); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const StoredTensor& before = *order[i - 1];
    if (before.bytes.data() + before.bytes.size() > order[i]->bytes.data()) {
      fail(ErrorKind::data, "{}: the data of tensors {} and {} overlap; the file is damaged", before.file,
           in_quotes(before.name), in_quotes(order[i]->name));
    }
  }
}

void TensorSet::add(MappedFile file, std::vector<StoredTensor> tensors) {
  files_.push_back(std::move(file));
  for (auto& tensor : tensors) {
    const auto [place, added] = tensors_.try_emplace(tensor.name, tensor);
    if (!added) {
      fail(ErrorKind::data, "{}: tensor {} is also in {}", tensor.file, in_quotes(tensor.name), place->second.file);
    }
  }
}

const StoredTensor* TensorSet::find(std::string_view name) const {
  const auto place = tensors_.find(name);
  return place == tensors_.end() ? nullptr : &place->second;
}

}  // namespace kvmend
