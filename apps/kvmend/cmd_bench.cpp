#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <span>

#include "apps/kvmend/bench_report.h"
#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "apps/kvmend/plugin_option.h"
#include "apps/kvmend/strategy_argument.h"
#include "apps/kvmend/verbosity.h"
#include "apps/kvmend/version.h"
#include "core/error.h"
#include "core/progress.h"
#include "recompute/auxiliary.h"
#include "recompute/isolated.h"
#include "recompute/selector.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

/// Speed in isolation: every case runs alone, all cases of a run in turn, medians over runs.
class Bench final : public Command {
 public:
  explicit Bench(CLI::App& app) {
    app.add_option("what", what_, "prefill, select or decode")
        ->required()
        ->check(CLI::IsMember({"prefill", "select", "decode"}));
    model_.dtype = "bf16";
    model_.add_to(app);
    app.add_option("--tokens", tokens_, "context lengths, with commas")->delimiter(',')->check(CLI::Range(2, 1 << 20));
    app.add_option("--strategy", strategies_, "select: a strategy, 'name: {param: value}'; repeat for several")
        ->allow_extra_args(false);
    add_plugin_option(app);
    app.add_option("--ratio", ratios_, "select: recomputation ratios, with commas")
        ->delimiter(',')
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--chunk", chunk_, "select: tokens a chunk")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    app.add_option("--query", query_, "select: tokens of the query")
        ->check(CLI::Range(1, 1 << 16))
        ->capture_default_str();
    app.add_option("--new-tokens", new_tokens_, "decode: tokens")->check(CLI::Range(2, 1 << 16))->capture_default_str();
    app.add_option("--runs", runs_, "timed runs, after one that is not")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_flag("--json", json_, "one JSON object a case");
    add_verbosity_options(app, quiet_, verbose_, "a line for each timed run");
  }

  int run() override {
    const OpenedModel opened = open_named_model(model_.model);
    options_.bos = opened.tokenizer->bos();
    options_.decode.max_new_tokens = what_ == "decode" ? new_tokens_ : 1;
    std::vector<BenchCase> cases = make_cases(opened);
    Engine engine(*opened.files, backend(opened.files->config()));
    const Peak before = engine.backend().measure_peak();
    measure_all(engine, cases);
    const Peak after = engine.backend().measure_peak();  // the machine may have been busy, or slower, at one of them
    const BenchSetting setting{.model = model_.model,
                               .device = engine.backend().name(),
                               .build = version_text(),
                               .dtype = model_.dtype,
                               .threads = engine.backend().threads(),
                               .peak_flops = std::max(before.flops, after.flops),
                               .peak_bytes = std::max(before.bytes, after.bytes)};
    print_bench(setting, cases, json_);
    return 0;
  }

 private:
  /// For the longest of the cases.
  BackendOptions backend(const ModelConfig& config) const {
    int tokens = 0;
    bool unrotated = false;
    for (const Request& request : requests_) tokens = std::max(tokens, request.n_tokens());
    for (const CellSpec& spec : specs_) unrotated |= spec.strategy->selector->corrects_reused();
    return model_.backend(config, tokens + options_.decode.max_new_tokens, unrotated);
  }

  std::vector<BenchCase> make_cases(const OpenedModel& opened) {
    const ModelConfig& config = opened.files->config();
    if (tokens_.empty()) tokens_ = what_ == "prefill" ? std::vector<int>{512, 2048} : std::vector<int>{2048};
    if (strategies_.empty()) strategies_ = {"reuse", "random", "epic", "cacheblend", "prophetkv"};
    std::vector<BenchCase> cases;
    for (const int tokens : tokens_) {
      const Request request = make_request(tokens, config.vocab, *opened.tokenizer);
      check_request(request, config.vocab, config.context_length);
      add(cases, request, "full", -1);
      if (what_ != "select") continue;
      for (const std::string& argument : strategies_) {
        const auto strategy = parse_strategy_argument(argument);
        check_strategy(*strategy, config);
        check_auxiliaries(*strategy);
        if (!strategy->info.uses_ratio)
          add(cases, request, argument, -1);
        else
          for (const double ratio : ratios_) add(cases, request, argument, ratio);
      }
    }
    return cases;
  }

  void add(std::vector<BenchCase>& cases, const Request& request, const std::string& argument, double ratio) {
    const auto strategy = parse_strategy_argument(argument);
    BenchCase c;
    c.name = what_;
    c.tokens = request.n_context() + (what_ == "select" ? 0 : request.n_query());
    if (what_ == "select") {
      c.strategy = strategy->label;
      c.note = strategy->info.note;
    }
    c.ratio = ratio;
    cases.push_back(c);
    requests_.push_back(request);
    specs_.push_back({strategy, std::max(0.0, ratio)});
  }

  /// prefill and decode: a bare prompt; select: chunks behind a short prefix.
  Request make_request(int tokens, int vocab, const Tokenizer& tokenizer) const {
    std::mt19937 generator(42);
    std::vector<std::int32_t> words;
    if (what_ == "select") words = word_tokens(tokenizer);
    const auto id = [&] {
      const auto number = generator();
      return words.empty() ? static_cast<std::int32_t>(number % static_cast<unsigned>(vocab))
                           : words[number % words.size()];
    };
    Request request;
    if (what_ == "select") {
      for (int begin = 0; begin < tokens;) {
        const int size = std::min(begin == 0 ? std::min(32, chunk_) : chunk_, tokens - begin);
        request.units.push_back({begin == 0 ? UnitKind::prefix : UnitKind::chunk, begin, begin + size});
        begin += size;
      }
      for (int i = 0; i < tokens; ++i) request.context_ids.push_back(id());
    }
    for (int i = 0; i < (what_ == "select" ? query_ : tokens); ++i) request.query_ids.push_back(id());
    request.question_end = request.n_query();
    if (!words.empty()) add_text(request, tokenizer);
    return request;
  }

  /// What a token adds to a text: a decoder may drop the blank that the text begins with.
  static std::string text_of(const Tokenizer& tokenizer, std::int32_t id) {
    const std::vector<std::int32_t> twice{id, id};
    const std::string once = tokenizer.decode(std::span(twice).first(1));
    return tokenizer.decode(twice).substr(once.size());
  }

  /// Tokens that are a blank and a word: their text is tokenised into just these again, for an auxiliary model of the same
  /// vocabulary. Empty for vocabularies that have few.
  static std::vector<std::int32_t> word_tokens(const Tokenizer& tokenizer) {
    std::vector<std::int32_t> out;
    for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
      if (tokenizer.is_special(id)) continue;
      const std::string text = text_of(tokenizer, id);
      const bool word = text.size() > 1 && text.front() == ' ' &&
                        std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
      if (word) out.push_back(id);
    }
    return out.size() < 16 ? std::vector<std::int32_t>() : out;
  }

  static void add_text(Request& request, const Tokenizer& tokenizer) {
    for (const auto* ids : {&request.context_ids, &request.query_ids}) {
      for (const std::int32_t id : *ids) {
        request.token_begin.push_back(static_cast<std::uint32_t>(request.text.size()));
        request.text += text_of(tokenizer, id);
        request.token_end.push_back(static_cast<std::uint32_t>(request.text.size()));
      }
    }
  }

  /// So that the next call does the strategy's offline work; auxiliary models are opened before it.
  static void forget_chunks(Engine& engine, const CellSpec& spec) {
    engine.forget_chunks();
    for (const std::string& name : spec.strategy->selector->auxiliary_models()) {
      engine.auxiliary(name).engine().forget_chunks();
    }
  }

  void measure_all(Engine& engine, std::vector<BenchCase>& cases) {
    const std::int64_t all = static_cast<std::int64_t>(cases.size()) * (runs_ + 1);
    std::int64_t done = 0;
    Progress progress(all, "runs", quiet_);
    for (int run = -1; run < runs_; ++run) {  // run −1 warms up: each case fills the chunk store for itself
      for (std::size_t i = 0; i < cases.size(); ++i) {
        BenchCase& c = cases[i];
        progress.update(done, static_cast<double>(done) / static_cast<double>(all), case_name(c));
        if (run < 0 && what_ == "select") forget_chunks(engine, specs_[i]);
        measure(engine, i, c, run >= 0);
        ++done;
        if (!verbose_ || run < 0) continue;
        progress.clear();
        fmt::print(stderr, "kvmend: {}, {} tokens, run {}: {:.4f} s\n", case_name(c), c.tokens, run + 1,
                   c.seconds.back());
      }
    }
  }

  void measure(Engine& engine, std::size_t i, BenchCase& c, bool timed) {
    const OpCost before = engine.queue().cost();
    const Stopwatch watch;
    const Outcome outcome = run_isolated(engine, requests_[i], specs_[i], options_);
    if (!timed) {
      c.cold_seconds = watch.seconds();
      return;
    }
    c.wall_seconds.push_back(watch.seconds());
    const bool decode = what_ == "decode";
    const OpCost all = engine.queue().cost() - before;
    c.seconds.push_back(decode ? outcome.decode_seconds : outcome.seconds.ttft());
    c.select_seconds.push_back(outcome.seconds.select);
    c.flops = decode ? all.flops - outcome.flops : outcome.flops;
    c.bytes = decode ? all.bytes - outcome.bytes : outcome.bytes;
    c.first_token = outcome.first_token;
    c.flops_ratio = what_ == "select" ? outcome.flops_ratio : 0;
    if (decode) c.tokens = static_cast<int>(outcome.prediction_ids.size());
  }

  std::string what_;
  ModelOptions model_;
  std::vector<int> tokens_;
  std::vector<std::string> strategies_;
  std::vector<double> ratios_{0.2};
  int chunk_ = 512, query_ = 48, new_tokens_ = 64, runs_ = 5;
  bool json_ = false, quiet_ = false, verbose_ = false;
  RunnerOptions options_;
  std::vector<Request> requests_;
  std::vector<CellSpec> specs_;
};

}  // namespace

std::unique_ptr<Command> make_bench(CLI::App& app) { return std::make_unique<Bench>(app); }

}  // namespace kvmend
