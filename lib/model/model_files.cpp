#include "model/model_files.h"

#include <bit>
#include <map>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "model/dequant.h"
#include "model/gguf.h"
#include "model/in_quotes.h"
#include "model/model_parts.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

/// A file's tensor under our name: its shape has been checked.
struct BoundTensor {
  const StoredTensor* stored = nullptr;
  std::int64_t rows = 0, cols = 0;  ///< a vector is one row
  int head_dim = 0, rotary = 0;     ///< set where rows must be taken out of the interleaved order
};

std::string layer_name(std::string_view pattern, int layer) {
  std::string name(pattern);
  if (const auto at = name.find("{}"); at != std::string::npos) name.replace(at, 2, std::to_string(layer));
  return name;
}

/// [1, n] and [n] are the same thing.
bool same_shape(std::span<const std::int64_t> shape, std::int64_t rows, std::int64_t cols) {
  while (shape.size() > 1 && shape.front() == 1) shape = shape.subspan(1);
  if (rows == 1) return shape.size() == 1 && shape[0] == cols;
  return shape.size() == 2 && shape[0] == rows && shape[1] == cols;
}

std::string wanted_shape(std::int64_t rows, std::int64_t cols) {
  const std::int64_t shape[] = {rows, cols};
  return shape_text(rows == 1 ? std::span(shape).subspan(1) : std::span(shape));
}

/// Where output row `row` lies in a head stored as pairs (2i, 2i + 1): we pair i with i + rotary/2.
std::int64_t interleaved_row(std::int64_t row, int head_dim, int rotary) {
  const std::int64_t head = row / head_dim * head_dim, i = row % head_dim;
  if (i >= rotary) return row;
  return head + (i < rotary / 2 ? 2 * i : 2 * (i - rotary / 2) + 1);
}

/// Index of the first NaN or infinity, or −1.
std::int64_t first_not_finite(const float* values, std::int64_t count) {
  constexpr std::uint32_t exponent = 0x7f800000;
  std::uint32_t found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    found |= (std::bit_cast<std::uint32_t>(values[i]) & exponent) == exponent ? 1U : 0U;
  }
  if (!found) return -1;
  std::int64_t i = 0;
  while ((std::bit_cast<std::uint32_t>(values[i]) & exponent) != exponent) ++i;
  return i;
}

void read_row(const BoundTensor& bound, std::int64_t row, float* out) {
  const StoredTensor& stored = *bound.stored;
  const BlockLayout layout = block_layout(*stored.type);
  const std::int64_t source = bound.rotary ? interleaved_row(row, bound.head_dim, bound.rotary) : row;
  dequantise(*stored.type, stored.bytes.data() + source * (bound.cols / layout.elements * layout.bytes), bound.cols,
             out);
  if (const auto bad = first_not_finite(out, bound.cols); bad >= 0) {
    fail(ErrorKind::data, "{}: tensor {}: row {}, column {} is {}; the weights are damaged", stored.file,
         in_quotes(stored.name), source, bad, out[bad]);
  }
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
    WeightSource source{std::string(tensor), rows, cols, *bound.stored->type, {}, {}};
    if (!bound.rotary) source.raw = bound.stored->bytes;
    // The set is shared so that the mapping outlives this object where the source does.
    source.read_rows = [bound, set = parts_.tensors](std::int64_t first, std::int64_t count, float* out) {
      require(first >= 0 && count >= 0 && first + count <= bound.rows, "rows [{}, {}) of {}", first, first + count,
              bound.rows);
      for (std::int64_t i = 0; i < count; ++i) read_row(bound, first + i, out + i * bound.cols);
    };
    return source;
  }

  std::vector<float> vector(std::string_view tensor, std::int64_t size) const override {
    BoundTensor bound = find(tensor, 1, size);
    std::vector<float> stored(static_cast<std::size_t>(size));
    const int rotary = std::exchange(bound.rotary, 0);
    read_row(bound, 0, stored.data());
    if (!rotary) return stored;
    std::vector<float> out(stored.size());
    for (std::int64_t i = 0; i < size; ++i) out[i] = stored[interleaved_row(i, bound.head_dim, rotary)];
    return out;
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
    const std::string name = layer_name(slot.name, layer);
    const std::string stored_name = parts_.hf_names ? layer_name(slot.hf_name, layer) : name;
    const StoredTensor* stored = parts_.tensors->find(stored_name);
    if (!stored) {
      fail(ErrorKind::data, "{}: tensor {} is missing; a {} model of {} layers has it", path_.string(),
           in_quotes(stored_name), parts_.config.architecture, parts_.config.n_layers);
    }
    if (!stored->type) {
      fail(ErrorKind::data, "{}: tensor {} has the type {}, which cannot be read", stored->file, in_quotes(stored_name),
           in_quotes(stored->type_name));
    }
    BoundTensor bound{stored, dim_size(slot.rows, parts_.config), dim_size(slot.cols, parts_.config)};
    if (!same_shape(stored->shape, bound.rows, bound.cols)) {
      fail(ErrorKind::data, "{}: tensor {} has shape {}; the configuration asks for {}", stored->file,
           in_quotes(stored_name), shape_text(stored->shape), wanted_shape(bound.rows, bound.cols));
    }
    if (parts_.interleaved_heads && slot.head_rows != HeadRows::no) {
      bound.head_dim = parts_.config.head_dim;
      bound.rotary = parts_.config.rope.rotary_dim;
    }
    bound_.emplace(name, bound);
  }

  /// A tensor we would leave out means a model that we would compute wrongly.
  void require_all_bound() const {
    std::set<const StoredTensor*> used;
    for (const auto& [name, bound] : bound_) used.insert(bound.stored);
    for (const auto& [name, stored] : parts_.tensors->all()) {
      if (used.count(&stored) || is_known_extra(name)) continue;
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
    if (bound.rows != rows || bound.cols != cols) {
      fail(ErrorKind::data, "{}: tensor {}: wanted {}, found {}", bound.stored->file, in_quotes(tensor),
           wanted_shape(rows, cols), wanted_shape(bound.rows, bound.cols));
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
