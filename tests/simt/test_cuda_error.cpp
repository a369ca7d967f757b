// What the CUDA backend makes of the runtime's errors: callers go on after some and end the process after others.
#include "backend/cuda/cuda_error.h"
#include "backend/device_error.h"
#include "catch.h"
#include "device.h"
#include "mutants/mutant.h"

using namespace kvmend;
using simt::Device;

namespace {

/// Takes the fault back: the tests that follow find a device that works.
struct Faulty {
  explicit Faulty(cudaError_t error) {
    Device::get().quiet = true;
    Device::get().fault("a fault that a test asked for", error);
  }
  ~Faulty() {
    Device::get().reset();
    Device::get().quiet = false;
  }
};

}  // namespace

TEST_CASE("an error after which the process must end loses the device, whatever is called next") {
  // Those of which driver_types.h says that the process must be terminated and relaunched.
  const auto error =
      GENERATE(cudaErrorMpsClientTerminated, cudaErrorContained, cudaErrorIllegalAddress, cudaErrorLaunchTimeout,
               cudaErrorAssert, cudaErrorHardwareStackError, cudaErrorIllegalInstruction, cudaErrorMisalignedAddress,
               cudaErrorInvalidAddressSpace, cudaErrorInvalidPc, cudaErrorLaunchFailure, cudaErrorTensorMemoryLeak,
               cudaErrorExternalDevice);
  CAPTURE(error);
  const mutants::Stream stream;
  const Faulty faulty(error);
  void* memory = nullptr;
  CHECK_THROWS_AS(cuda::check(cudaStreamSynchronize(stream), "waiting"), DeviceLost);
  CHECK_THROWS_AS(cuda::check(cudaMallocAsync(&memory, 64, stream), "allocating"), DeviceLost);
  CHECK_THROWS_AS(cuda::check(CUBLAS_STATUS_EXECUTION_FAILED, "a product"), DeviceLost);
}

TEST_CASE("an error that the process outlives does not lose the device") {
  CHECK_NOTHROW(cuda::check(cudaSuccess, "nothing"));
  CHECK_THROWS_AS(cuda::check(cudaErrorMemoryAllocation, "allocating"), OutOfMemory);
  CHECK_THROWS_AS(cuda::check(CUBLAS_STATUS_ALLOC_FAILED, "a product"), OutOfMemory);
  for (const cudaError_t error : {cudaErrorInvalidValue, cudaErrorInvalidConfiguration}) {
    try {
      cuda::check(error, "launching");
      FAIL("no error");
    } catch (const DeviceLost&) {
      FAIL("a wrong argument loses no device");
    } catch (const Error& failure) {
      CHECK(failure.kind() == ErrorKind::device);
    }
  }
}
