#pragma once
// Two failures of a device that callers answer in ways of their own; every other one is an Error(device).
#include "core/error.h"

namespace kvmend {

/// There is not enough memory for what was asked. Smaller pieces, or the same after something was freed, may fit.
class OutOfMemory : public Error {
 public:
  explicit OutOfMemory(const std::string& message) : Error(ErrorKind::device, message) {}
};

/// The device answers this process no more (a CUDA error that stays, such as an illegal access). Another process may be
/// able to use it.
class DeviceLost : public Error {
 public:
  explicit DeviceLost(const std::string& message) : Error(ErrorKind::device, message) {}
};

}  // namespace kvmend
