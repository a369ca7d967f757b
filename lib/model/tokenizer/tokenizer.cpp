#include "model/tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "model/tokenizer/pipeline.h"
#include "model/tokenizer/vocabulary.h"

namespace kvmend {

std::vector<std::int32_t> Tokenizer::ids(std::string_view text, EncodeOptions options) const {
  const std::vector<Token> tokens = encode(text, options);
  std::vector<std::int32_t> ids(tokens.size());
  std::transform(tokens.begin(), tokens.end(), ids.begin(), [](const Token& token) { return token.id; });
  return ids;
}

std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSource& source, const std::vector<int>& extra_stops) {
  Pipeline pipeline = source.json_path.empty() ? read_gguf_pipeline(source) : read_json_pipeline(source);
  std::vector<int>& stops = pipeline.stops;
  stops.insert(stops.end(), extra_stops.begin(), extra_stops.end());
  for (const AddedToken& token : pipeline.added) {
    if (token.special && is_end_of_turn(token.content)) stops.push_back(token.id);
  }
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  stops.erase(std::remove(stops.begin(), stops.end(), -1), stops.end());
  const auto count = static_cast<int>(pipeline.token_bytes.size());
  for (const int stop : stops) {
    if (stop < 0 || stop >= count) {
      fail(ErrorKind::data, "the stop token {} is no token; the vocabulary has {}", stop, count);
    }
  }
  return make_tokenizer(std::move(pipeline));
}

std::unique_ptr<Tokenizer> make_tokenizer(const ModelFiles& files) {
  return make_tokenizer(files.tokenizer(), files.stop_ids());
}

}  // namespace kvmend
