#include "experiment/recycle/recycle.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "datasets/files.h"
#include "datasets/stream/prompts.h"
#include "model/locate.h"
#include "recompute/decode.h"
#include "recompute/sentence_encoder.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

BackendOptions backend_options(const RecycleConfig& config) {
  return {config.device, dtype_of(config.dtype), config.threads};
}

ChunkStoreOptions store_options(const RecycleConfig& config) {
  ChunkStoreOptions options;
  options.memory_bytes = static_cast<std::int64_t>(parse_size(Value(config.memory)));
  options.load_from = config.load_from;
  if (!config.cache_dir.empty()) options.folder = config.folder / config.cache_dir;
  return options;
}

std::shared_ptr<const Strategy> known_strategy(const char* name) {
  ParamErrors errors;
  auto strategy = make_strategy(name, {}, {}, errors);
  require(strategy != nullptr, "no strategy {}", name);
  return strategy;
}

/// A prompt answered: what is compared, and what it took.
struct Answer {
  std::vector<float> logits;  ///< at the first token
  std::int32_t first_token = 0;
  std::vector<std::int32_t> ids;
  double ttft_s = 0, total_s = 0;
};

class Recycling {
 public:
  explicit Recycling(const RecycleConfig& config)
      : config_(config),
        files_(open_model(locate_model(config.model))),
        tokenizer_(make_tokenizer(*files_)),
        stream_(read_prompts(find_data_file(config.prompts, config.folder), OnError::error)),
        full_(known_strategy("full")),
        prefix_(known_strategy("prefix")) {
    check_decoder(files_->config());
    if (config.samples > static_cast<int>(stream_.prompts.size())) {
      fail(ErrorKind::usage, "samples is {}, but {} has {} prompts (0: all)", config.samples, stream_.name,
           stream_.prompts.size());
    }
    if (config.samples > 0) stream_.prompts.resize(static_cast<std::size_t>(config.samples));
    tokenize();
    if (looks_up(Lookup::nearest)) encoder_ = std::make_unique<SentenceEncoder>(config.encoder, encoder_backend());
    engine_ = std::make_unique<Engine>(*files_, decoder_backend(), store_options(config));
    decode_.max_new_tokens = config.max_new_tokens;
    decode_.stops = tokenizer_->stops();
  }

  RecycleResult run(const std::function<void(int, int)>& on_prompt) {
    static_cast<void>(answer(tokens_.front(), {}, 0, 0));  // the first run of all pays for what later ones find warm
    if (encoder_) static_cast<void>(encoder_->embed(stream_.prompts.front().text));
    const int n = static_cast<int>(stream_.prompts.size());
    for (int i = 0; i < n; ++i) {
      if (on_prompt) on_prompt(i, n);
      take(static_cast<std::size_t>(i));
    }
    result_.prompts = n;
    result_.cache = engine_->store().stats();
    result_.model = config_.model;
    result_.encoder = encoder_ ? config_.encoder : "";
    result_.device = engine_->backend().name();
    result_.dtype = dtype_name(engine_->backend().compute_dtype());
    return std::move(result_);
  }

 private:
  bool looks_up(Lookup lookup) const {
    return std::find(config_.lookups.begin(), config_.lookups.end(), lookup) != config_.lookups.end();
  }

  /// With memory for the longest prompt and its answer, where that is a card's own.
  BackendOptions decoder_backend() const {
    BackendOptions options = backend_options(config_);
    std::size_t longest = 0;
    for (const auto& tokens : tokens_) longest = std::max(longest, tokens.size());
    options.work_bytes =
        request_bytes(files_->config(), options.dtype, static_cast<int>(longest) + config_.max_new_tokens);
    return options;
  }

  /// The encoder runs in float32: similarities are compared, and it is small.
  BackendOptions encoder_backend() const {
    BackendOptions options = backend_options(config_);
    options.dtype = DType::f32;
    return options;
  }

  void tokenize() {
    const int most = files_->config().context_length - config_.max_new_tokens;
    for (const StreamPrompt& prompt : stream_.prompts) {
      tokens_.push_back(tokenizer_->ids(prompt.text, {.special = true, .add_bos = true}));
      const auto size = static_cast<int>(tokens_.back().size());
      if (size > most) {
        fail(ErrorKind::usage, "{}: prompt '{}' has {} tokens; with max_new_tokens {} the model takes {}", stream_.name,
             prompt.id, size, config_.max_new_tokens, most);
      }
      if (size == 0) fail(ErrorKind::usage, "{}: prompt '{}' has no tokens", stream_.name, prompt.id);
    }
  }

  /// One prompt, behind the first `depth` tokens of a stored cache.
  Answer answer(const std::vector<std::int32_t>& tokens, std::shared_ptr<const ChunkCache> cache, int depth,
                double load_seconds) {
    const Stopwatch watch;
    Request request;
    if (depth > 0) request.units.push_back({UnitKind::chunk, 0, depth});
    request.context_ids.assign(tokens.begin(), tokens.begin() + depth);
    request.query_ids.assign(tokens.begin() + depth, tokens.end());
    request.question_end = request.n_query();
    ReusedContext context(*engine_, request, {}, tokenizer_->bos());
    if (depth > 0) context.provide({leading_rows(*cache, depth)}, load_seconds);
    RequestProbe probe(*engine_, context, "");
    CellRun cell(*engine_, probe, depth > 0 ? prefix_ : full_, 1, config_.max_new_tokens);
    cell.prefill();  // waits for the first token
    Answer out;
    out.ttft_s = watch.seconds();
    CellRun* const cells[] = {&cell};
    decode(*engine_, cells, decode_);
    out.total_s = watch.seconds();
    out.first_token = cell.outcome().first_token;
    out.ids = cell.outcome().prediction_ids;
    out.logits.resize(static_cast<std::size_t>(cell.logits().cols()));
    engine_->queue().download(out.logits, cell.logits());
    return out;
  }

  void take(std::size_t i) {
    const StreamPrompt& prompt = stream_.prompts[i];
    const Answer baseline = answer(tokens_[i], {}, 0, 0);
    std::vector<float> embedding;
    for (const Lookup lookup : config_.lookups) recycle(i, lookup, baseline, embedding);

    const Stopwatch watch;
    const auto stored = engine_->chunk_on_device({}, tokens_[i]);
    engine_->queue().finish();
    result_.store_s += watch.seconds();
    result_.stored_bytes += stored.cache->bytes();
    store_.add({prompt.id, tokens_[i], std::move(embedding)});
  }

  void recycle(std::size_t i, Lookup lookup, const Answer& baseline, std::vector<float>& embedding) {
    const std::vector<std::int32_t>& tokens = tokens_[i];
    const Stopwatch watch;
    StoredMatch match;
    if (lookup == Lookup::nearest) {
      embedding = encoder_->embed(stream_.prompts[i].text);
      match = store_.nearest(tokens, embedding, config_.neighbours);
    } else {
      match = store_.longest_prefix(tokens);
    }
    RecycleRow row;
    row.lookup_s = watch.seconds();
    ChunkStore::Found stored;
    if (match.used >= 0) stored = engine_->chunk_on_device({}, store_.entry(match.used).tokens);
    const double before = watch.seconds();
    const Answer found = answer(tokens, stored.cache, match.depth, stored.load_seconds);

    row.prompt_id = stream_.prompts[i].id;
    row.lookup = lookup;
    row.tokens = static_cast<int>(tokens.size());
    if (match.nearest >= 0) row.nearest = store_.entry(match.nearest).id;
    row.similarity = match.similarity;
    row.prefix_match = match.used >= 0;
    row.reuse_depth = match.depth;
    row.load_s = before - row.lookup_s;
    row.ttft_s = before + found.ttft_s;
    row.latency_s = before + found.total_s;
    row.baseline_s = baseline.total_s;
    row.baseline_ttft_s = baseline.ttft_s;
    row.equal = found.first_token == baseline.first_token && found.ids == baseline.ids;
    for (std::size_t t = 0; t < found.logits.size(); ++t) {
      const double difference = std::abs(static_cast<double>(found.logits[t]) - baseline.logits[t]);
      row.logit_difference = std::max(row.logit_difference, difference);
    }
    result_.rows.push_back(std::move(row));
  }

  const RecycleConfig& config_;
  std::unique_ptr<ModelFiles> files_;
  std::unique_ptr<Tokenizer> tokenizer_;
  PromptStream stream_;
  std::vector<std::vector<std::int32_t>> tokens_;
  std::shared_ptr<const Strategy> full_, prefix_;
  std::unique_ptr<SentenceEncoder> encoder_;
  std::unique_ptr<Engine> engine_;
  DecodeOptions decode_;
  PromptStore store_;
  RecycleResult result_;
};

}  // namespace

RecycleResult run_recycling(const RecycleConfig& config, const std::function<void(int, int)>& on_prompt) {
  return Recycling(config).run(on_prompt);
}

}  // namespace kvmend
