#pragma once
// On what a test of whole requests runs: the CPU backends, or with KVMEND_TEST_DEVICE=cuda a card, which may be emulated.
#include <cstdlib>
#include <string>
#include <vector>

#include "backend/tensor.h"

namespace kvmend::test {

struct TestedSetting {
  std::string device;
  DType dtype;
};

inline bool tests_card() { return std::getenv("KVMEND_TEST_DEVICE") != nullptr; }

/// On an emulated card the matrix is smaller unless KVMEND_TEST_FULL is set (scripts/test-full): what is left out differs
/// from what is tested in the host's code only, which the CPU backends run.
inline bool tests_in_full() { return !tests_card() || std::getenv("KVMEND_TEST_FULL") != nullptr; }

inline std::vector<TestedSetting> tested_settings() {
  if (tests_card()) return {{"cuda", DType::f32}, {"cuda", DType::bf16}};
  return {{"reference", DType::f32}, {"cpu", DType::f32}, {"reference", DType::bf16}, {"cpu", DType::bf16}};
}

}  // namespace kvmend::test
