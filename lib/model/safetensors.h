#pragma once
#include <filesystem>
#include <vector>

#include "model/stored_tensor.h"

namespace kvmend {

/// The tensors of one safetensors file whose map is given. Checks that the header is sound, each tensor's bytes agree
/// with dtype and shape, and the data is covered without gap or overlap (as the format demands).
/// Throws Error(data) naming file, tensor and cause. dtypes beyond F32, F16 and BF16 have no StoredTensor::type.
std::vector<StoredTensor> read_safetensors(const MappedFile& map);

/// model.safetensors of a folder, or the shards that model.safetensors.index.json names.
TensorSet read_safetensors_folder(const std::filesystem::path& folder);

}  // namespace kvmend
