#include "backend/cuda/device.h"

#include "core/error.h"

namespace kvmend::cuda {

namespace {

constexpr std::size_t kBlasWorkspace = std::size_t{32} << 20U;  // what cuBLAS recommends for Hopper

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

/// Throws with what a user has to install.
void require_driver() {
  int count = 0, driver = 0, runtime = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaSuccess && count > 0) return;
  cudaGetLastError();
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  const auto version = [](int v) { return fmt::format("{}.{}", v / 1000, v % 1000 / 10); };
  if (driver == 0)
    fail(ErrorKind::device,
         "device 'cuda': no NVIDIA driver here ({}); install one that supports CUDA {}, or use "
         "--device cpu",
         cudaGetErrorString(error), version(runtime));
  if (error == cudaErrorInsufficientDriver)
    fail(ErrorKind::device,
         "device 'cuda': the driver supports CUDA {}, this build needs {}; update the driver, or use "
         "--device cpu",
         version(driver), version(runtime));
  fail(ErrorKind::device, "device 'cuda': no usable card: {} ({}); nvidia-smi shows what the driver sees",
       cudaGetErrorString(error), cudaGetErrorName(error));
}

}  // namespace

Device::Device(int ordinal) {
  require_driver();
  int count = 0;
  check(cudaGetDeviceCount(&count), "counting cards");
  if (ordinal < 0 || ordinal >= count)
    fail(ErrorKind::device, "device 'cuda:{}': there {} {} card{}, numbered from 0", ordinal, count == 1 ? "is" : "are",
         count, count == 1 ? "" : "s");
  check(cudaSetDevice(ordinal), "selecting the card");
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, ordinal), "reading the card's properties");
  name_ = properties.name;
  multiprocessors_ = properties.multiProcessorCount;
  capability_ = 10 * properties.major + properties.minor;
  if (capability_ < 80)
    fail(ErrorKind::device, "{} has compute capability {}.{}; 8.0 (Ampere) or newer is needed; use --device cpu", name_,
         properties.major, properties.minor);
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  check(cudaDeviceGetDefaultMemPool(&pool_, ordinal), "finding the memory pool");
  std::uint64_t keep_all = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep_all), "setting up the memory pool");
  staging_ = std::make_unique<Staging>(stream_);
}

cublasHandle_t Device::blas() {
  if (blas_ != nullptr) return blas_;
  check(cublasCreate(&blas_), "starting cuBLAS");
  check(cublasSetStream(blas_, stream_), "giving cuBLAS the stream");
  // A workspace of our own: its size decides which algorithms cuBLAS picks, and so a product's bits.
  workspace_ = allocate(kBlasWorkspace);
  check(cublasSetWorkspace(blas_, workspace_, kBlasWorkspace), "giving cuBLAS its workspace");
  check(cublasSetMathMode(blas_, CUBLAS_DEFAULT_MATH), "turning TF32 off");
  return blas_;
}

Device::~Device() {
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  staging_.reset();
  if (blas_ != nullptr) cublasDestroy(blas_);
  if (workspace_ != nullptr) free(workspace_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void* Device::allocate(std::size_t bytes) {
  void* address = nullptr;
  cudaError_t error = cudaMallocAsync(&address, bytes == 0 ? 1 : bytes, stream_);
  if (error == cudaErrorMemoryAllocation) {  // what was freed may not be free yet
    cudaGetLastError();
    finish();
    check(cudaMemPoolTrimTo(pool_, 0), "giving memory back");
    error = cudaMallocAsync(&address, bytes == 0 ? 1 : bytes, stream_);
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    std::size_t available = 0, total = 0;
    cudaMemGetInfo(&available, &total);
    fail(ErrorKind::device, "not enough memory on {}: {:.1f} MiB asked for, {:.1f} of {:.1f} MiB free", name_,
         mib(bytes), mib(available), mib(total));
  }
  check(error, "allocating memory");
  return address;
}

void Device::free(void* address) noexcept { cudaFreeAsync(address, stream_); }

Tensor allocate_on(const std::shared_ptr<Device>& device, DType dtype, std::int64_t rows, std::int64_t cols) {
  require(rows >= 0 && cols >= 0, "allocate: a tensor of [{}, {}]", rows, cols);
  std::int64_t elements = 0, bytes = 0;
  if (__builtin_mul_overflow(rows, cols, &elements) ||
      __builtin_mul_overflow(elements, static_cast<std::int64_t>(dtype_bytes(dtype)), &bytes))
    fail(ErrorKind::device, "not enough memory: a tensor of [{}, {}] has no size in 63 bits", rows, cols);
  return {std::make_shared<DeviceBuffer>(device, static_cast<std::size_t>(bytes)), dtype, rows, cols};
}

void* device_data(const Tensor& tensor) {
  if (!tensor) return nullptr;
  const auto* buffer = dynamic_cast<const DeviceBuffer*>(tensor.buffer());
  require(buffer != nullptr, "a tensor of another device reached the CUDA backend");
  return static_cast<std::byte*>(buffer->data()) +
         static_cast<std::size_t>(tensor.offset()) * dtype_bytes(tensor.dtype());
}

}  // namespace kvmend::cuda
