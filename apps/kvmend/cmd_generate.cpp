#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "core/error.h"
#include "recompute/isolated.h"

namespace kvmend {
namespace {

/// Greedy decoding of one prompt: the model runtime by itself.
class Generate final : public Command {
 public:
  explicit Generate(CLI::App& app) {
    model_.add_to(app);
    app.add_option("text", text_, "the user's text, a file, or - for standard input");
    app.add_option("--ids", ids_, "a prompt as token ids: 1,2,3");
    app.add_option("--chat", chat_, "chat format: auto, raw, chatml, llama3, mistral, gemma, qwen3")
        ->capture_default_str();
    app.add_option("--system", system_, "system message; empty: the format's own");
    app.add_option("--max-new-tokens", max_new_tokens_, "")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    app.add_flag("--json", json_, "one JSON object");
  }

  int run() override {
    if (text_.empty() == ids_.empty()) fail(ErrorKind::usage, "generate needs either a text or --ids");
    const OpenedModel opened = open_named_model(model_.model);
    Request request;
    std::string prompt;
    if (ids_.empty()) {
      const ChatFrame frame = find_chat_format(chat_, opened.files->chat_template())->frame(system_);
      prompt = frame.head + read_text_argument(text_) + frame.tail;
      request.query_ids = opened.tokenizer->ids(prompt, {.special = true, .add_bos = true});
    } else {
      request.query_ids = parse_ids(ids_);
    }
    request.question_end = request.n_query();

    Engine engine(*opened.files, model_.backend(opened.files->config(), request.n_query() + max_new_tokens_), {});
    ParamErrors errors;
    const CellSpec cell{make_strategy("full", {}, {}, errors), 1.0};
    RunnerOptions options;
    options.decode.max_new_tokens = max_new_tokens_;
    options.decode.stops = opened.tokenizer->stops();
    const Outcome outcome = run_isolated(engine, request, cell, options);
    const std::string text = opened.tokenizer->decode(outcome.prediction_ids);
    if (!json_) {
      std::cout << text << '\n';
      return 0;
    }
    const nlohmann::ordered_json out{{"prompt", prompt},
                                     {"prompt_tokens", request.n_query()},
                                     {"prediction", text},
                                     {"prediction_ids", outcome.prediction_ids},
                                     {"ttft_s", outcome.seconds.ttft()},
                                     {"decode_s", outcome.decode_seconds}};
    fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }

 private:
  ModelOptions model_;
  std::string text_, ids_, chat_ = "auto", system_;
  int max_new_tokens_ = 128;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_generate(CLI::App& app) { return std::make_unique<Generate>(app); }

}  // namespace kvmend
