#include "model/model_files.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "model/bound_tensor.h"
#include "model/gguf.h"
#include "model/in_quotes.h"
#include "model/model_parts.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

std::string layer_name(std::string_view pattern, int layer) {
  std::string name(pattern);
  if (const auto at = name.find("{}"); at != std::string::npos) name.replace(at, 2, std::to_string(layer));
  return name;
}

/// Buffers that some files carry beside the weights and that follow from the configuration.
bool is_known_extra(std::string_view name) {
  return name == "rope_freqs.weight" || name.ends_with(".rotary_emb.inv_freq") || name == "lm_head.weight";
}

class MappedModel final : public ModelFiles {
 public:
  MappedModel(ModelParts parts, fs::path path) : parts_(std::move(parts)), path_(std::move(path)) {
    for (const auto& slot : parts_.architecture->tensors) {
      if (!is_present(slot.presence, parts_.config)) continue;
      const int layers = slot.per_layer() ? parts_.config.n_layers : 1;
      for (int layer = 0; layer < layers; ++layer) bind(slot, layer);
    }
    require_all_bound();
  }

  const ModelConfig& config() const override { return parts_.config; }
  const TokenizerSource& tokenizer() const override { return parts_.tokenizer; }
  std::string chat_template() const override { return parts_.chat_template; }
  std::vector<int> stop_ids() const override { return parts_.stop_ids; }
  bool has(std::string_view tensor) const override { return bound_.find(tensor) != bound_.end(); }

  WeightSource matrix(std::string_view tensor, std::int64_t rows, std::int64_t cols) const override {
    const BoundTensor& bound = find(tensor, rows, cols);
    WeightSource source{.name = std::string(tensor), .rows = rows, .cols = cols, .type = *bound.stored().type};
    source.raw = bound.raw();
    source.stored_row = bound.row_order();
    // The set is shared so that the mapping outlives this object where the source does.
    source.read_rows = [bound, set = parts_.tensors](std::int64_t first, std::int64_t count, float* out) {
      bound.read_rows(first, count, out);
    };
    return source;
  }

  std::vector<float> vector(std::string_view tensor, std::int64_t size) const override {
    return find(tensor, 1, size).read_vector();
  }

  WeightNeeds weight_needs() const override {
    WeightNeeds needs;
    const bool tied = parts_.config.tied_head;
    for (const auto& [name, bound] : bound_) {
      if (bound.rows() == 1) continue;  // vectors
      const std::int64_t elements = bound.rows() * bound.cols();
      const bool table = name == "token_embd.weight";
      if (table) needs.table_elements = elements;
      if (table && !tied) continue;
      needs.elements += elements;
      const auto stored = static_cast<std::int64_t>(bound.raw().size());
      needs.stored_bytes += stored > 0 ? stored : elements * static_cast<std::int64_t>(sizeof(float));
      const bool head = table || name == "output.weight";  // a layer's matrices may be stacked in pairs
      needs.largest_elements = std::max(needs.largest_elements, head ? elements : 2 * elements);
    }
    return needs;
  }

  std::string sha256() const override {
    if (parts_.identity.size() == 1) return sha256_file(parts_.identity.front());
    std::string all;
    for (const auto& file : parts_.identity) all += sha256_file(file) + "\n";
    return kvmend::sha256(all);
  }

  fs::path path() const override { return path_; }

 private:
  void bind(const TensorSlot& slot, int layer) {
    const std::string stored_name = layer_name(parts_.hf_names          ? slot.hf_name
                                               : slot.gguf_name.empty() ? slot.name
                                                                        : slot.gguf_name,
                                               layer);
    const StoredTensor* stored = find_stored(stored_name);
    if (!stored) {
      fail(ErrorKind::data, "{}: tensor {} is missing; a {} model of {} layers has it", path_.string(),
           in_quotes(stored_name), parts_.config.architecture, parts_.config.n_layers);
    }
    bound_.emplace(layer_name(slot.name, layer), BoundTensor(slot, *stored, parts_.config, *parts_.architecture,
                                                             parts_.hf_names, parts_.interleaved_heads));
  }

  /// Under the name, or with what a larger model puts before it.
  const StoredTensor* find_stored(const std::string& name) const {
    const StoredTensor* stored = parts_.tensors->find(name);
    if (stored || !parts_.hf_names) return stored;
    return parts_.tensors->find(std::string(parts_.architecture->hf_prefix) + name);
  }

  bool is_unused(std::string_view name) const {
    if (is_known_extra(name)) return true;
    const auto& parts = parts_.architecture->unused;
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
  }

  /// A tensor we would leave out means a model that we would compute wrongly.
  void require_all_bound() const {
    std::set<const StoredTensor*> used;
    for (const auto& [name, bound] : bound_) used.insert(&bound.stored());
    for (const auto& [name, stored] : parts_.tensors->all()) {
      if (used.count(&stored) || is_unused(name)) continue;
      fail(ErrorKind::data, "{}: tensor {} has no place in a {} model as its configuration describes it", stored.file,
           in_quotes(name), parts_.config.architecture);
    }
  }

  const BoundTensor& find(std::string_view tensor, std::int64_t rows, std::int64_t cols) const {
    const auto place = bound_.find(tensor);
    if (place == bound_.end()) {
      fail(ErrorKind::data, "{}: the model has no tensor {}", path_.string(), in_quotes(tensor));
    }
    const BoundTensor& bound = place->second;
    if (bound.rows() != rows || bound.cols() != cols) {
      fail(ErrorKind::data, "{}: tensor {}: wanted {}, found {}", bound.stored().file, in_quotes(tensor),
           shape_text_of(rows, cols), shape_text_of(bound.rows(), bound.cols()));
    }
    return bound;
  }

  ModelParts parts_;
  fs::path path_;
  std::map<std::string, BoundTensor, std::less<>> bound_;
};

}  // namespace

std::unique_ptr<ModelFiles> open_model(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return std::make_unique<MappedModel>(read_hf_parts(path), path);
  if (!path_exists(path)) fail(ErrorKind::data, "{}: no such file or folder", path.string());
  if (!looks_like_gguf(path)) {
    const bool part = path.extension() == ".safetensors" || path.extension() == ".json";
    fail(ErrorKind::data, "{}: not a GGUF file{}", path.string(),
         part ? "; to open a Hugging Face model, name its folder" : " (it does not start with \"GGUF\")");
  }
  return std::make_unique<MappedModel>(read_gguf_parts(path), path);
}

}  // namespace kvmend
