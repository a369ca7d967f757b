#pragma once
// What the emulator must be told of memory that a backend keeps for itself instead of freeing it, and what it counts. No part
// of CUDA.
#include <cuda_runtime_api.h>

#include <cstdint>

extern "C" {
/// In the stream's order: the allocation counts as freed from here on. It is poisoned, and writing to it is a fault.
cudaError_t simtRetire(void* address, cudaStream_t stream);
/// In the stream's order: it is an allocation again, with the content of a new one.
cudaError_t simtRevive(void* address, cudaStream_t stream);
/// How often this process has allocated memory of the device, and waited for a whole stream: tests count what they cost.
std::int64_t simtAllocations();
std::int64_t simtWaits();
}
