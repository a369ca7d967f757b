#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "core/error.h"

namespace kvmend {
namespace {

/// Ids, byte spans and bytes of a text's tokens; with --ids the text of given ids.
class Tokenize final : public Command {
 public:
  explicit Tokenize(CLI::App& app) {
    model_.add_to(app, false);
    app.add_option("text", text_, "text, a file, or - for standard input");
    app.add_option("--ids", ids_, "decode these ids instead: 1,2,3");
    app.add_flag("--json", json_, "one JSON object");
    app.add_flag("--plain", plain_, "special tokens in the text are plain text");
    app.add_flag("--bos", add_bos_, "begin with BOS where the tokenizer's convention has one");
  }

  int run() override {
    const OpenedModel opened = open_named_model(model_.model);
    if (!ids_.empty()) {
      const std::string text = opened.tokenizer->decode(parse_ids(ids_));
      if (json_) {
        fmt::print("{}\n",
                   nlohmann::json{{"text", text}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
      } else {
        std::cout << text << '\n';
      }
      return 0;
    }
    if (text_.empty()) fail(ErrorKind::usage, "tokenize needs a text, a file, '-' or --ids");
    print(*opened.tokenizer, read_text_argument(text_));
    return 0;
  }

 private:
  void print(const Tokenizer& tokenizer, const std::string& text) const {
    const auto tokens = tokenizer.encode(text, {.special = !plain_, .add_bos = add_bos_});
    if (json_) {
      nlohmann::ordered_json out{{"ids", nlohmann::json::array()}, {"spans", nlohmann::json::array()}};
      for (const Token& token : tokens) {
        out["ids"].push_back(token.id);
        out["spans"].push_back({token.begin, token.end});
      }
      fmt::print("{}\n", out.dump());
      return;
    }
    for (const Token& token : tokens) {
      const std::string bytes = text.substr(token.begin, token.end - token.begin);
      const auto quoted = nlohmann::json(bytes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      fmt::print("{:>8}  {:>6}..{:<6}  {}\n", token.id, token.begin, token.end, quoted);
    }
    fmt::print("{} tokens\n", tokens.size());
  }

  ModelOptions model_;
  std::string text_, ids_;
  bool json_ = false, plain_ = false, add_bos_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize(CLI::App& app) { return std::make_unique<Tokenize>(app); }

}  // namespace kvmend
