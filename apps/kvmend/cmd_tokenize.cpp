#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/kvmend/bench_report.h"
#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "core/error.h"
#include "recompute/stopwatch.h"

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
    app.add_flag("--time", time_, "only say how fast it is: the median of five times, on one core");
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
    const std::string text = read_text_argument(text_);
    if (time_)
      print_rate(*opened.tokenizer, text);
    else
      print(*opened.tokenizer, text);
    return 0;
  }

 private:
  void print_rate(const Tokenizer& tokenizer, const std::string& text) const {
    std::size_t tokens = 0;
    std::vector<double> seconds;
    for (int run = -1; run < 5; ++run) {  // run −1 warms up
      const Stopwatch watch;
      tokens = tokenizer.encode(text, {.special = !plain_, .add_bos = add_bos_}).size();
      if (run >= 0) seconds.push_back(watch.seconds());
    }
    const double middle = median(seconds);
    const auto [least, most] = std::minmax_element(seconds.begin(), seconds.end());
    const double mega = static_cast<double>(text.size()) / 1e6;
    if (json_) {
      fmt::print("{}\n",
                 nlohmann::ordered_json{{"bytes", text.size()}, {"tokens", tokens}, {"seconds", seconds}}.dump());
      return;
    }
    fmt::print("{:.2f} MB, {} tokens: {:.3f} s ({:.3f} to {:.3f}), {:.1f} MB/s\n", mega, tokens, middle, *least, *most,
               middle > 0 ? mega / middle : 0);
  }

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
  bool json_ = false, plain_ = false, add_bos_ = false, time_ = false;
};

}  // namespace

std::unique_ptr<Command> make_tokenize(CLI::App& app) { return std::make_unique<Tokenize>(app); }

}  // namespace kvmend
