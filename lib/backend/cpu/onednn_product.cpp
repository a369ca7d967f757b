#include "backend/cpu/onednn_product.h"

#include <map>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <tuple>

#include "backend/cpu/onednn.h"
#include "core/error.h"

namespace kvmend::onednn {

namespace {

using dnnl::memory;

/// One shape's product: where oneDNN 2 and 3 differ.
dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const memory::desc& a, const memory::desc& b,
                                      const memory::desc& c) {
  dnnl::primitive_attr attributes;
  // The library's own scratchpad belongs to the thread that made the primitive; ours run it on any thread.
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, c, attributes};
#else
  return {dnnl::matmul::desc(a, b, c), attributes, engine};
#endif
}

}  // namespace

bool has_native_bf16() {
#if defined(__x86_64__)
  static const bool native = [] {
    if (!__builtin_cpu_supports("avx512bf16")) return false;  // oneDNN 3 would emulate it, slower than float32
    try {
      const memory::desc square({64, 64}, memory::data_type::bf16, memory::format_tag::ab);
      const memory::desc out({64, 64}, memory::data_type::f32, memory::format_tag::ab);
      (void)describe(dnnl::engine(dnnl::engine::kind::cpu, 0), square, square, out);
      return true;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  return native;
#else
  return false;
#endif
}

struct BlockProducts::State {
  struct Product {
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
    explicit Product(dnnl::matmul::primitive_desc d) : description(std::move(d)), primitive(description) {}
  };
  using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;  // m, n, k, ldb

  memory::data_type element;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::mutex mutex;
  std::map<Shape, std::unique_ptr<Product>> products;

  const Product& product(const Shape& shape) {
    const std::lock_guard lock(mutex);
    std::unique_ptr<Product>& found = products[shape];
    if (!found) {
      const auto [m, n, k, ldb] = shape;
      found = std::make_unique<Product>(describe(engine, memory::desc({m, k}, element, memory::format_tag::ab),
                                                 memory::desc({k, n}, element, memory::dims{1, ldb}),
                                                 memory::desc({m, n}, memory::data_type::f32, memory::format_tag::ab)));
    }
    return *found;
  }
};

BlockProducts::BlockProducts(DType element) : state_(std::make_unique<State>()) {
  state_->element = element == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

BlockProducts::~BlockProducts() = default;

void BlockProducts::multiply(std::int64_t m, std::int64_t n, std::int64_t k, const void* a, const void* b,
                             std::int64_t ldb, float* c, Scratch& scratch) {
  stay_in_this_thread();
  const std::int64_t padded = (m + kRowStep - 1) / kRowStep * kRowStep;
  try {
    const State::Product& product = state_->product({padded, n, k, ldb});
    const auto bytes = static_cast<std::int64_t>(product.description.scratchpad_desc().get_size());
    const auto wrap = [&](const memory::desc& desc, const void* data) {
      return memory(desc, state_->engine, const_cast<void*>(data));
    };
    dnnl::stream stream(state_->engine);
    product.primitive.execute(
        stream, {{DNNL_ARG_SRC, wrap(product.description.src_desc(), a)},
                 {DNNL_ARG_WEIGHTS, wrap(product.description.weights_desc(), b)},
                 {DNNL_ARG_DST, wrap(product.description.dst_desc(), c)},
                 {DNNL_ARG_SCRATCHPAD, wrap(product.description.scratchpad_desc(), scratch.floats(bytes / 4 + 1))}});
    stream.wait();
  } catch (const dnnl::error& error) {
    fail(ErrorKind::device, "matmul: oneDNN refused [{}, {}] x [{}, {}]: {}", m, k, k, n, error.what());
  }
}

}  // namespace kvmend::onednn
