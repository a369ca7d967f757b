#include "backend/cuda_library.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "core/error.h"

namespace kvmend {

namespace {

constexpr const char* kLibrary = "libkvmend_cuda.so";

using MakeBackend = Backend*(const BackendOptions*, int);
using BuildName = const char*();

/// The library beside this program, or in lib/ beside its folder. KVMEND_CUDA_LIBRARY names another, the emulated one in
/// the tests.
std::filesystem::path library_path() {
  if (const char* named = std::getenv("KVMEND_CUDA_LIBRARY"); named != nullptr && *named != '\0') return named;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const auto& candidate : {folder / kLibrary, folder.parent_path() / "lib" / kLibrary})
    if (std::filesystem::exists(candidate)) return candidate;
  fail(ErrorKind::device,
       "device 'cuda': this build has no CUDA backend ({} is not beside the program); build where "
       "nvcc is, or use --device cpu",
       kLibrary);
}

int ordinal_of(std::string_view device) {
  if (device == "cuda") return 0;
  int ordinal = -1;
  const std::string_view number = device.starts_with("cuda:") ? device.substr(5) : std::string_view{};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), ordinal);
  if (number.empty() || error != std::errc{} || end != number.data() + number.size() || ordinal < 0)
    fail(ErrorKind::usage, "device '{}' is no card; use cuda, or cuda:N with N from 0", device);
  return ordinal;
}

/// Once a process: backends and their tensors may live until its end.
MakeBackend* load() {
  const std::filesystem::path path = library_path();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(ErrorKind::device, "device 'cuda': cannot load {}: {}", path.string(), dlerror());
  auto* build = reinterpret_cast<BuildName*>(dlsym(library, "kvmend_cuda_build"));
  auto* make = reinterpret_cast<MakeBackend*>(dlsym(library, "kvmend_cuda_backend"));
  if (build == nullptr || make == nullptr || std::string_view(build()) != KVMEND_CUDA_BUILD)
    fail(ErrorKind::device, "device 'cuda': {} is of another build than this program ('{}'); build both again",
         path.string(), KVMEND_CUDA_BUILD);
  return make;
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options) {
  const int ordinal = ordinal_of(options.device);
  static MakeBackend* make = load();
  return std::unique_ptr<Backend>(make(&options, ordinal));
}

}  // namespace kvmend
