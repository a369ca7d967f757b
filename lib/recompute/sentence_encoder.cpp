#include "recompute/sentence_encoder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "model/json_object.h"
#include "model/locate.h"
#include "recompute/bare_prefill.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

/// A key of a file that may be missing beside the model.
std::optional<std::int64_t> integer_of(const fs::path& file, std::string_view key) {
  if (!path_exists(file)) return std::nullopt;
  const auto number = JsonObject::read(file).number(key);  // "no limit" is written as 1e30
  if (!number || !(*number >= 3 && *number < 1e9)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// sentence_bert_config.json says; without it the tokenizer's length, and never more than there are positions.
int length_limit(const fs::path& model, int positions) {
  std::error_code ignored;
  if (!fs::is_directory(model, ignored)) return positions;
  auto limit = integer_of(model / "sentence_bert_config.json", "max_seq_length");
  if (!limit) limit = integer_of(model / "tokenizer_config.json", "model_max_length");
  return static_cast<int>(std::min<std::int64_t>(limit.value_or(positions), positions));
}

void check_pooling(const fs::path& model) {
  const fs::path file = model / "1_Pooling" / "config.json";
  if (!path_exists(file)) return;
  const JsonObject json = JsonObject::read(file);
  for (const char* other : {"pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_lasttoken"}) {
    if (json.boolean(other).value_or(false)) {
      fail(ErrorKind::data, "{}: only the mean of the tokens is known as pooling", json.where(other));
    }
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\r\f\v";
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

}  // namespace

SentenceEncoder::SentenceEncoder(const std::string& name, const BackendOptions& backend) {
  const fs::path path = locate_model(name);
  const auto files = open_model(path);
  if (files->config().causal) {
    fail(ErrorKind::usage, "{}: a {} model is no sentence encoder; all-minilm-l6-v2 is one", name,
         files->config().architecture);
  }
  check_pooling(path);
  tokenizer_ = make_tokenizer(*files);
  if (tokenizer_->bos() < 0 || tokenizer_->eos() < 0) {
    fail(ErrorKind::data, "{}: its tokenizer names no [CLS] and [SEP]", name);
  }
  max_tokens_ = length_limit(path, files->config().context_length);
  backend_ = make_backend(backend);
  model_ = std::make_unique<Model>(*files, *backend_);
}

std::vector<float> SentenceEncoder::embed(std::string_view text) const {
  std::vector<std::int32_t> ids = tokenizer_->ids(trimmed(text));
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(max_tokens_ - 2)));
  ids.insert(ids.begin(), tokenizer_->bos());
  ids.push_back(tokenizer_->eos());

  const std::vector<float> hidden = bare_hidden(*model_, ids);
  const auto width = static_cast<std::size_t>(model_->config().d_model);
  std::vector<double> mean(width);
  for (std::size_t i = 0; i < hidden.size(); ++i) mean[i % width] += hidden[i] / static_cast<double>(ids.size());
  double square = 0;
  for (const double x : mean) square += x * x;
  const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
  std::vector<float> out;
  for (const double x : mean) out.push_back(static_cast<float>(x * scale));
  return out;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  require(a.size() == b.size(), "embeddings of {} and {} numbers", a.size(), b.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace kvmend
