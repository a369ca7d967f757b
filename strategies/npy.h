#pragma once
#include <filesystem>
#include <vector>

namespace kvmend {

/// A one-dimensional little-endian float32 or float64 array from NumPy's .npy format, versions 1 to 3.
/// Throws Error(data) naming the file and what is wrong with it.
std::vector<float> read_npy_vector(const std::filesystem::path& path);

}  // namespace kvmend
