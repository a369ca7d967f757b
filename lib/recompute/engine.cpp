#include "recompute/engine.h"

#include <algorithm>

#include "core/error.h"
#include "model/locate.h"
#include "recompute/chunk_prefill.h"
#include "recompute/chunk_stream.h"

namespace kvmend {

namespace {

const ModelFiles& decoder_files(const ModelFiles& files) {
  check_decoder(files.config());
  return files;
}

/// On a device with memory of its own the budget for chunk caches is the host's; the device has another.
ChunkStoreOptions fitted(ChunkStoreOptions options, Backend& backend, std::int64_t work_bytes) {
  const DeviceMemory memory = backend.memory();
  if (memory.total == 0) return options;
  options.host_bytes = options.memory_bytes;
  options.memory_bytes = cache_budget(memory, work_bytes);
  return options;
}

}  // namespace

std::int64_t cache_budget(const DeviceMemory& memory, std::int64_t work_bytes) {
  return std::max<std::int64_t>(0, std::min(memory.free / 2, memory.free - work_bytes));
}

void check_decoder(const ModelConfig& config) {
  if (config.causal) return;
  fail(ErrorKind::usage,
       "{}: a {} model is an encoder: it embeds text and predicts no tokens; use it as `encoder` of "
       "kvmend recycle",
       config.name, config.architecture);
}

Engine::Engine(const ModelFiles& files, const BackendOptions& backend, const ChunkStoreOptions& store)
    : backend_options_(backend),
      store_options_(store),
      backend_(make_backend(backend)),
      model_(std::make_unique<Model>(decoder_files(files), *backend_)),
      queue_(backend_->make_queue()),
      store_(std::make_unique<ChunkStore>(fitted(store, *backend_, backend.work_bytes))) {
  backend_->expect_work(backend.work_bytes);
}

Engine::~Engine() = default;

AuxiliaryModel::AuxiliaryModel(const std::string& name, const BackendOptions& backend, const ChunkStoreOptions& store) {
  const auto files = open_model(locate_model(name));
  tokenizer_ = make_tokenizer(*files);
  engine_ = std::make_unique<Engine>(*files, backend, store);
}

AuxiliaryModel& Engine::auxiliary(const std::string& name) {
  auto& found = auxiliaries_[name];
  if (!found) {
    BackendOptions options = backend_options_;
    if (options.device != "reference") options.device = "cpu";
    found = std::make_unique<AuxiliaryModel>(name, options, store_options_);
  }
  return *found;
}

ChunkKey Engine::key_of(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit) const {
  ChunkKey key;
  key.weights_sha256 = model_->weights_sha256();
  key.model = model_identity(model_->config());
  key.dtype = backend_->compute_dtype();
  key.backend = backend_->name();
  key.sink_ids.assign(sink.begin(), sink.end());
  key.unit_ids.assign(unit.begin(), unit.end());
  return key;
}

ChunkStore::Opened Engine::chunk(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit) {
  return store_->open(key_of(sink, unit), *backend_, *queue_,
                      [&] { return prefill_chunk(*model_, *queue_, sink, unit); });
}

ChunkStore::Found Engine::chunk_on_device(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit) {
  return store_->get(key_of(sink, unit), *backend_, *queue_,
                     [&] { return prefill_chunk(*model_, *queue_, sink, unit); });
}

void Engine::forget_chunks() {
  store_.reset();  // before the device is asked what it has free
  store_ = std::make_unique<ChunkStore>(fitted(store_options_, *backend_, backend_options_.work_bytes));
}

void Engine::make_room() {
  store_->release_unused(*backend_, *queue_);
  backend_->expect_work(backend_options_.work_bytes);
}

std::int64_t request_bytes(const ModelConfig& c, DType dtype, int tokens, bool unrotated) {
  constexpr std::int64_t f32 = sizeof(float);
  const std::int64_t n = tokens, q = std::int64_t{c.n_heads} * c.head_dim, kv = std::int64_t{c.n_kv_heads} * c.head_dim;
  const std::int64_t cache = kv_bytes_per_token(c, dtype);
  const std::int64_t streamed = cache / c.n_layers * (ChunkStream::ahead + 1);  // layers that come from the host
  const std::int64_t caches = (unrotated ? 3 : 2) * cache + streamed;           // base and overlay, a token
  const std::int64_t activations = f32 * (c.d_model + 2 * q);                   // hidden, q, attention
  const std::int64_t operand = dtype == DType::bf16 ? 2 * std::int64_t{std::max(c.d_ff, c.d_model)} : 0;  // rounded
  const std::int64_t block = std::min<std::int64_t>(n, Backend::most_product_rows) *
                             (f32 * (2 * std::int64_t{c.d_ff} + 2 * c.d_model + q + 2 * kv) + operand);
  // Decoding as a card does it, the one device that is told: rows of a batch, and keys of a part of a cell's list.
  constexpr std::int64_t decode_rows = 16, decode_part = 1024;
  const std::int64_t partials = (n + decode_part - 1) / decode_part * c.n_heads * (c.head_dim + 2);
  return n * (caches + activations) + block + decode_rows * f32 * (c.vocab + partials);
}

double full_prefill_flops(const ModelConfig& c, int tokens) {
  const double n = tokens, d = c.d_model, q = 1.0 * c.n_heads * c.head_dim, kv = 1.0 * c.n_kv_heads * c.head_dim;
  double pairs = 0;  // visible (query, key) pairs, summed over layers
  for (int layer = 0; layer < c.n_layers; ++layer) {
    const double w = c.is_windowed(layer) && c.sliding_window < tokens ? c.sliding_window : n;
    pairs += w * (w + 1) / 2 + (n - w) * w;
  }
  const double matmuls = 2 * n * (d * (q + 2 * kv) + q * d + (c.gated_mlp ? 3 : 2) * d * c.d_ff) * c.n_layers;
  return matmuls + 4 * q * pairs + 2 * d * c.vocab;
}

}  // namespace kvmend
