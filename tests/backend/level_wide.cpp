// The kernels with sixteen lanes in whatever arithmetic the compiler has: AVX-512's tiles on any processor, and
// products of bf16 pairs without the instruction.
#define KVMEND_LEVEL wide
#define KVMEND_LEVEL_NAME "wide"
#define KVMEND_LANES 16
#define KVMEND_PAIRS
#include "backend/cpu/kernels/level.h"

#include <fmt/format.h>

#include <cstdlib>

#include "device.h"

namespace kvmend::wide_tiles {
extern const Kernels kernels;  // level_wide_tiles.cpp
}

namespace kvmend::test {

std::string device_under_test() {
  const char* named = std::getenv("KVMEND_TEST_DEVICE");
  return named == nullptr ? "cpu" : named;
}

std::vector<TestedDevice> devices_under_test() {
  if (device_under_test() != "cpu") {
    const auto make = [](bool aligned) {
      return [aligned](DType dtype) {
        Device device(device_under_test(), dtype);
        device.aligned = aligned;
        return device;
      };
    };
    return {{device_under_test(), make(false)}, {device_under_test() + ", aligned", make(true)}};
  }
  std::vector<TestedDevice> devices;
  for (const Kernels* kernels : tested_kernels())
    for (const int threads : {1, 3})
      devices.push_back({fmt::format("{}, {} threads", kernels->name, threads),
                         [=](DType dtype) { return Device(*kernels, dtype, threads); }});
  return devices;
}

std::vector<TestedDevice> product_devices() {
  std::vector<TestedDevice> devices = devices_under_test();
  for (const Kernels* kernels : tested_kernels())
    for (const int threads : {1, 3})
      devices.push_back({fmt::format("{}, {} threads, pieces", kernels->name, threads),
                         [=](DType dtype) { return Device(*kernels, dtype, threads, CpuBackend::Products::pieces); }});
  return devices;
}

std::vector<const Kernels*> tested_kernels() {
  if (device_under_test() != "cpu") return {};
  const auto available = available_kernels();
  std::vector<const Kernels*> tested(available.begin(), available.end());
  tested.push_back(&wide::kernels);
  tested.push_back(&wide_tiles::kernels);
  return tested;
}

}  // namespace kvmend::test
