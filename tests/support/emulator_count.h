#pragma once
// What the emulated card counts (tests/simt/emulator/kept_memory.h), asked of the library that the backend is in.
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>

#include "catch.h"

namespace kvmend::test {

/// `name` is a function's: simtAllocations, simtWaits. A backend on the card has been made.
inline std::int64_t emulator_count(const char* name) {
  const char* library = std::getenv("KVMEND_CUDA_LIBRARY");
  REQUIRE(library != nullptr);
  void* loaded = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
  REQUIRE(loaded != nullptr);
  const auto count = reinterpret_cast<std::int64_t (*)()>(dlsym(loaded, name));
  REQUIRE(count != nullptr);
  const std::int64_t so_far = count();
  dlclose(loaded);
  return so_far;
}

}  // namespace kvmend::test
