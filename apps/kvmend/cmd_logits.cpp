#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "core/error.h"
#include "core/file.h"
#include "recompute/bare_prefill.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

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
    app.add_option("--raw", raw_, "write the last row (--all: every row) as little-endian float32 to this file");
    app.add_flag("--json", json_, "one JSON object");
  }

  int run() override {
    const OpenedModel opened = open_named_model(model_.model);
    if (text_.empty() == ids_.empty()) fail(ErrorKind::usage, "logits needs either a text or --ids");
    const auto ids = ids_.empty() ? opened.tokenizer->ids(read_text_argument(text_)) : parse_ids(ids_);
    const BackendOptions options = model_.backend(opened.files->config(), static_cast<int>(ids.size()));
    const auto backend = make_backend(options);
    const Model model(*opened.files, *backend);
    backend->expect_work(options.work_bytes);
    const BareLogits logits = bare_logits(model, ids, all_);
    if (!raw_.empty()) {
      write_file_atomically(
          raw_, {reinterpret_cast<const char*>(logits.values.data()), logits.values.size() * sizeof(float)});
    }
    if (json_) {
      print_json(ids, logits);
    } else {
      for (std::size_t row = 0; row < logits.rows; ++row) {
        print_row(*opened.tokenizer, logits.row(row), all_ ? row : ids.size() - 1);
      }
    }
    return 0;
  }

 private:
  /// The best ids of a row, best first, ties by lower id.
  std::vector<std::int32_t> best(std::span<const float> values) const {
    std::vector<std::int32_t> order(values.size());
    std::iota(order.begin(), order.end(), 0);
    const std::size_t top = std::min<std::size_t>(static_cast<std::size_t>(top_), order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top), order.end(), [&](int a, int b) {
      const float x = values[static_cast<std::size_t>(a)], y = values[static_cast<std::size_t>(b)];
      return x != y ? x > y : a < b;
    });
    order.resize(top);
    return order;
  }

  void print_row(const Tokenizer& tokenizer, std::span<const float> values, std::size_t position) const {
    for (const std::int32_t id : best(values)) {
      const std::string text = nlohmann::json(tokenizer.decode(std::span(&id, 1)))
                                   .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      fmt::print("{:>6}  {:>8}  {:>11.6f}  {}\n", position, id, values[static_cast<std::size_t>(id)], text);
    }
  }

  Json row_json(std::span<const float> values) const {
    const auto order = best(values);
    Json out{{"argmax", order.front()}, {"top", Json::array()}};
    for (const std::int32_t id : order) out["top"].push_back({id, values[static_cast<std::size_t>(id)]});
    return out;
  }

  /// The last position's best tokens; with --all every position's too.
  void print_json(const std::vector<std::int32_t>& ids, const BareLogits& logits) const {
    Json out{{"ids", ids}};
    out.update(row_json(logits.row(logits.rows - 1)));
    if (all_) {
      out["positions"] = Json::array();
      for (std::size_t row = 0; row < logits.rows; ++row) out["positions"].push_back(row_json(logits.row(row)));
    }
    fmt::print("{}\n", out.dump());
  }

  ModelOptions model_;
  std::string text_, ids_, raw_;
  int top_ = 10;
  bool all_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_logits(CLI::App& app) { return std::make_unique<Logits>(app); }

}  // namespace kvmend
