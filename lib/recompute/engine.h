#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cache/chunk_store.h"
#include "model/model.h"
#include "model/tokenizer.h"

namespace kvmend {

class AuxiliaryModel;

/// Throws Error(usage) for an encoder: it embeds text (recompute/sentence_encoder.h) and predicts nothing.
void check_decoder(const ModelConfig& config);

/// What one worker computes with: a device, a model on it, a queue and the chunk caches.
class Engine {
 public:
  Engine(const ModelFiles& files, const BackendOptions& backend, const ChunkStoreOptions& store = {});
  ~Engine();

  Backend& backend() { return *backend_; }
  const Model& model() const { return *model_; }
  Queue& queue() { return *queue_; }
  ChunkStore& store() { return *store_; }
  /// As if no chunk had been seen yet.
  void forget_chunks();
  /// Where memory ran out: chunk caches that nobody uses leave the device, and what a request takes is got ready there again.
  void make_room();

  /// The cache of `unit` prefilled alone behind `sink` (whose rows are dropped), wherever it lies.
  ChunkStore::Opened chunk(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit);
  /// The same, brought to the device.
  ChunkStore::Found chunk_on_device(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit);

  /// Another model that selectors ask, by name or path, on CPU threads of its own; opened once. Throws as opening it does.
  AuxiliaryModel& auxiliary(const std::string& name);

 private:
  ChunkKey key_of(std::span<const std::int32_t> sink, std::span<const std::int32_t> unit) const;

  BackendOptions backend_options_;
  ChunkStoreOptions store_options_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<ChunkStore> store_;
  std::map<std::string, std::unique_ptr<AuxiliaryModel>> auxiliaries_;
};

class AuxiliaryModel {
 public:
  AuxiliaryModel(const std::string& name, const BackendOptions& backend, const ChunkStoreOptions& store);
  Engine& engine() { return *engine_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

/// Memory that a request of so many tokens, its answer included, takes on a device besides weights and chunk caches, about:
/// the placed caches, one cell's recomputed rows of all of them, layers on their way from the host, activations (in products
/// of a block of Backend::most_product_rows), and a decode batch's logits and parts of attention. `unrotated`: for a strategy
/// that corrects reused rows (Selector::corrects_reused), which has the placed caches a second time.
std::int64_t request_bytes(const ModelConfig& config, DType dtype, int tokens, bool unrotated = false);

/// What chunk caches may take of a device with memory of its own: half of what the weights have left, and no more than
/// requests leave of it, which take `work_bytes`.
std::int64_t cache_budget(const DeviceMemory& memory, std::int64_t work_bytes);

/// FLOPs of prefilling `tokens` from nothing and taking the last row's logits, by the same rules as Queue
/// counts.
double full_prefill_flops(const ModelConfig& config, int tokens);

}  // namespace kvmend
