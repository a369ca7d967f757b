#include "recompute/engine.h"

#include "core/error.h"
#include "model/locate.h"
#include "recompute/chunk_prefill.h"

namespace kvmend {

namespace {

const ModelFiles& decoder_files(const ModelFiles& files) {
  check_decoder(files.config());
  return files;
}

/// On a device with memory of its own the budget for chunk caches is the host's; the device keeps half of what the weights
/// have left, for the rest is needed by the request at work.
ChunkStoreOptions fitted(ChunkStoreOptions options, Backend& backend) {
  const DeviceMemory memory = backend.memory();
  if (memory.total == 0) return options;
  options.host_bytes = options.memory_bytes;
  options.memory_bytes = memory.free / 2;
  return options;
}

}  // namespace

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
      store_(std::make_unique<ChunkStore>(fitted(store, *backend_))) {
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
  store_ = std::make_unique<ChunkStore>(fitted(store_options_, *backend_));
}

std::int64_t request_bytes(const ModelConfig& c, DType dtype, int tokens) {
  const std::int64_t q = std::int64_t{c.n_heads} * c.head_dim, kv = std::int64_t{c.n_kv_heads} * c.head_dim;
  const std::int64_t caches = 2 * kv_bytes_per_token(c, dtype);                        // base and overlay, a token
  const std::int64_t activations = std::int64_t{sizeof(float)} * (c.d_model + 2 * q);  // hidden, q, attention
  const std::int64_t block =
      512 * std::int64_t{sizeof(float)} * (2 * std::int64_t{c.d_ff} + 2 * c.d_model + q + 2 * kv);
  return tokens * (caches + activations) + block + std::int64_t{c.vocab} * std::int64_t{sizeof(float)};
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
