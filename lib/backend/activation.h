#pragma once
#include <cstdint>

namespace kvmend {

enum class Activation : std::uint8_t { silu, gelu_tanh, gelu };

}  // namespace kvmend
