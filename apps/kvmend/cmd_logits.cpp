#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "core/error.h"
#include "recompute/bare_prefill.h"

namespace kvmend {
namespace {

/// Next-token logits of a text or of ids: the best of each position, or all of them to a raw float32 file.
class Logits final : public Command {
 public:
  explicit Logits(CLI::App& app) {
    model_.add_to(app);
    app.add_option("text", text_, "text, a file, or - for standard input");
    app.add_option("--ids", ids_, "token ids instead of text: 1,2,3");
    app.add_option("--top", top_, "best tokens shown for a position")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_flag("--all", all_, "every position, not only the last");
    app.add_option("-o,--output", output_,
                   "write all positions' logits, row-major little-endian float32, to this file");
    app.add_flag("--json", json_, "one JSON object a position");
  }

  int run() override {
    const OpenedModel opened = open_named_model(model_.model);
    if (text_.empty() == ids_.empty()) fail(ErrorKind::usage, "logits needs either a text or --ids");
    const auto ids = ids_.empty() ? opened.tokenizer->ids(read_text_argument(text_)) : parse_ids(ids_);
    const auto backend = make_backend(model_.backend());
    const Model model(*opened.files, *backend);
    const bool every = all_ || !output_.empty();
    const BareLogits logits = bare_logits(model, ids, every);
    if (!output_.empty()) write(logits);
    const std::size_t first = every && output_.empty() ? 0 : logits.rows - 1;
    for (std::size_t row = first; row < logits.rows; ++row) {
      print(*opened.tokenizer, logits, row, every ? row : ids.size() - 1);
    }
    return 0;
  }

 private:
  void write(const BareLogits& logits) const {
    std::ofstream out(output_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(logits.values.data()),
              static_cast<std::streamsize>(logits.values.size() * sizeof(float)));
    out.close();
    if (!out) fail(ErrorKind::data, "{}: cannot write", output_);
  }

  void print(const Tokenizer& tokenizer, const BareLogits& logits, std::size_t row, std::size_t position) const {
    const auto values = logits.row(row);
    std::vector<std::int32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t top = std::min<std::size_t>(static_cast<std::size_t>(top_), order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(), [&](int a, int b) {
      const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
      return x != y ? x > y : a < b;
    });
    nlohmann::ordered_json out{{"position", position}, {"top", nlohmann::json::array()}};
    for (std::size_t i = 0; i < top; ++i) {
      const float logit = values[static_cast<std::size_t>(order[i])];
      const std::string text = nlohmann::json(tokenizer.decode(std::span(&order[i], 1)))
                                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      if (json_) {
        out["top"].push_back({{"id", order[i]}, {"logit", logit}});
      } else {
        fmt::print("{:>6}  {:>8}  {:>11.6f}  {}\n", position, order[i], logit, text);
      }
    }
    if (json_) fmt::print("{}\n", out.dump());
  }

  ModelOptions model_;
  std::string text_, ids_, output_;
  int top_ = 10;
  bool all_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_logits(CLI::App& app) { return std::make_unique<Logits>(app); }

}  // namespace kvmend
