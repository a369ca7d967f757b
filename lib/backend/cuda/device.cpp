#include "backend/cuda/device.h"

#include "backend/device_error.h"
#include "core/size_text.h"

namespace kvmend::cuda {

namespace {

/// Of a card's memory: blocks of a size that nobody asks for again are in the way of larger ones.
constexpr std::size_t kKeptShare = 16;
constexpr std::size_t kBlasWorkspace = std::size_t{32} << 20U;  // what cuBLAS recommends for Hopper

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
  shared_bytes_ = properties.sharedMemPerBlockOptin;
  capability_ = 10 * properties.major + properties.minor;
  if (capability_ < 80)
    fail(ErrorKind::device, "{} has compute capability {}.{}; 8.0 (Ampere) or newer is needed; use --device cpu", name_,
         properties.major, properties.minor);
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  check(cudaDeviceGetDefaultMemPool(&pool_, ordinal), "finding the memory pool");
  std::uint64_t keep_all = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep_all), "setting up the memory pool");
  kept_ = std::make_unique<FreeBlocks>(stream_, properties.totalGlobalMem / kKeptShare);
  staging_ = std::make_unique<Staging>(stream_);
}

cublasHandle_t Device::blas() {
  if (blas_ != nullptr) return blas_;
  // A workspace of our own: its size decides which algorithms cuBLAS picks, and so a product's bits.
  if (workspace_ == nullptr) workspace_ = allocate(kBlasWorkspace);
  cublasHandle_t handle = nullptr;
  check(cublasCreate(&handle), "starting cuBLAS");
  std::unique_ptr<cublasContext, decltype(&cublasDestroy)> unfinished(handle, &cublasDestroy);
  check(cublasSetStream(handle, stream_), "giving cuBLAS the stream");
  check(cublasSetWorkspace(handle, workspace_, kBlasWorkspace), "giving cuBLAS its workspace");
  // Without TF32; and where a product to bf16 is cut, its parts are summed in float32: it is rounded once.
  check(cublasSetMathMode(handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), "setting cuBLAS's precision");
  return blas_ = unfinished.release();
}

Device::~Device() {
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  staging_.reset();
  if (blas_ != nullptr) cublasDestroy(blas_);
  if (workspace_ != nullptr) cudaFreeAsync(workspace_, stream_);
  kept_.reset();
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void* Device::allocate(std::size_t bytes) {
  if (void* kept = kept_->take(bytes)) return kept;
  void* address = nullptr;
  cudaError_t error = cudaMallocAsync(&address, bytes == 0 ? 1 : bytes, stream_);
  if (error == cudaErrorMemoryAllocation) {  // what was freed may not be free yet
    cudaGetLastError();
    give_back();
    finish();
    check(cudaMemPoolTrimTo(pool_, 0), "giving memory back");
    error = cudaMallocAsync(&address, bytes == 0 ? 1 : bytes, stream_);
  }
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    const auto [available, total] = memory();
    throw OutOfMemory(fmt::format("not enough memory on {}: {} asked for, {} of {} free", name_, size_text(bytes),
                                  size_text(available), size_text(total)));
  }
  check(error, "allocating memory");
  return address;
}

Device::Memory Device::memory() {
  finish();
  Memory memory;
  check(cudaMemGetInfo(&memory.available, &memory.total), "asking for free memory");
  std::uint64_t reserved = 0, used = 0;
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &reserved), "asking the memory pool");
  check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "asking the memory pool");
  memory.available += reserved - used + kept_->bytes();
  return memory;
}

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
