#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "apps/kvmend/strategy_argument.h"
#include "core/error.h"
#include "core/file.h"
#include "datasets/sample_json.h"
#include "recompute/isolated.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

Json seconds_json(const PhaseSeconds& s) {
  return {{"load", s.load},           {"place", s.place}, {"select", s.select},
          {"recompute", s.recompute}, {"query", s.query}, {"first_token", s.first_token},
          {"ttft", s.ttft()}};
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

/// One request through any number of strategies and ratios, each alone; no store.
class Select final : public Command {
 public:
  explicit Select(CLI::App& app) {
    model_.add_to(app);
    app.add_option("--request", request_, "a JSON file or a `kvmend sample` line; - for standard input")->required();
    app.add_option("--strategy", strategies_, "a strategy, 'name: {param: value}'; repeat for several")
        ->required()
        ->allow_extra_args(false);
    app.add_option("--ratio", ratios_, "recomputation ratios, with commas")->delimiter(',')->capture_default_str();
    app.add_option("--max-new-tokens", max_new_tokens_, "")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    app.add_flag("--json", json_, "the selection as JSON");
    app.add_flag("--scores", scores_, "with --json: every context token's score");
  }

  int run() override {
    for (const double ratio : ratios_) {
      if (!(ratio >= 0 && ratio <= 1)) fail(ErrorKind::usage, "--ratio: {} is not between 0 and 1", ratio);
    }
    std::vector<CellSpec> cells;
    for (const std::string& argument : strategies_) {
      for (const auto& strategy : parse_strategy_arguments(argument)) {
        if (!strategy->info.uses_ratio)
          cells.push_back({strategy, 0});
        else
          for (const double ratio : ratios_) cells.push_back({strategy, ratio});
      }
    }
    const OpenedModel opened = open_named_model(model_.model);
    for (const CellSpec& cell : cells) check_strategy(*cell.strategy, opened.files->config());
    const Request request = read(*opened.tokenizer);
    Engine engine(*opened.files, model_.backend());
    RunnerOptions options;
    options.bos = opened.tokenizer->bos();
    options.decode.stops = opened.tokenizer->stops();
    options.decode.max_new_tokens = max_new_tokens_;
    Json results = Json::array();
    for (const CellSpec& cell : cells) {
      const Outcome outcome = run_isolated(engine, request, cell, options);
      if (json_)
        results.push_back(result_json(cell, outcome, *opened.tokenizer, request, engine.model().kv_bytes_per_token()));
      else
        print_line(cell, outcome, *opened.tokenizer, request);
    }
    if (json_) print_json(engine, request, std::move(results));
    return 0;
  }

 private:
  Request read(const Tokenizer& tokenizer) const {
    std::string text, name = request_;
    if (request_ == "-") {
      text = {std::istreambuf_iterator<char>(std::cin), {}};
      name = "<stdin>";
    } else {
      text = read_file(request_);
    }
    return read_request(text, name, tokenizer);
  }

  Json result_json(const CellSpec& cell, const Outcome& o, const Tokenizer& tokenizer, const Request& request,
                   std::int64_t bytes_per_token) const {
    Json out{{"strategy", cell.strategy->info.name}, {"label", cell.strategy->label}};
    out["ratio"] = cell.strategy->info.uses_ratio ? Json(cell.ratio) : Json();
    out["params"] = Json::parse(cell.strategy->canonical.canonical());
    out["selected"] = o.selected;
    out["selected_per_layer"] = or_null(o.selected_per_layer);
    out["kept"] = or_null(o.kept);
    if (o.kept) {
      const double fraction = kept_fraction(o, request.n_context());
      out["kept_fraction"] = fraction;
      out["memory_saved_bytes"] =
          std::llround((1 - fraction) * request.n_context() * static_cast<double>(bytes_per_token));
    }
    if (o.order) out["order"] = *o.order;
    if (o.selected_original) out["selected_original"] = *o.selected_original;
    if (!o.decode_selected.empty()) {
      out["decode_selected"] = o.decode_selected;
      out["decode_flops"] = o.decode_flops;
    }
    if (o.selected_query) out["selected_query"] = *o.selected_query;
    if (scores_) out["scores"] = o.scores;
    out["layer_tokens"] = o.layer_tokens;
    out["effective_ratio"] = o.effective_ratio;
    out["flops"] = o.flops;
    out["flops_ratio"] = o.flops_ratio;
    out["seconds"] = seconds_json(o.seconds);
    out["first_token"] = o.first_token;
    out["prediction_ids"] = o.prediction_ids;
    out["prediction"] = tokenizer.decode(o.prediction_ids);
    return out;
  }

  void print_json(Engine& engine, const Request& request, Json results) const {
    Json units = Json::array();
    for (const Unit& unit : request.units) {
      units.push_back(
          {{"kind", unit.kind == UnitKind::prefix ? "prefix" : "chunk"}, {"begin", unit.begin}, {"end", unit.end}});
    }
    const Json out{{"model", model_.model},
                   {"dtype", model_.dtype},
                   {"device", engine.backend().name()},
                   {"n_context", request.n_context()},
                   {"n_query", request.n_query()},
                   {"units", std::move(units)},
                   {"results", std::move(results)}};
    fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  void print_line(const CellSpec& cell, const Outcome& o, const Tokenizer& tokenizer, const Request& request) {
    if (!printed_) {
      fmt::print("{} context tokens in {} units, {} of the query\n", request.n_context(), request.units.size(),
                 request.n_query());
      fmt::print("{:<28} {:>6} {:>9} {:>10} {:>10} {:>8}  prediction\n", "strategy", "ratio", "selected", "effective",
                 "rel. FLOPs", "TTFT s");
      printed_ = true;
    }
    const std::string ratio = cell.strategy->info.uses_ratio ? fmt::format("{}", cell.ratio) : "–";
    fmt::print("{:<28} {:>6} {:>9} {:>9.1f}% {:>9.1f}% {:>8.3f}  {}\n", cell.strategy->label, ratio, o.selected.size(),
               100 * o.effective_ratio, 100 * o.flops_ratio, o.seconds.ttft(),
               Json(tokenizer.decode(o.prediction_ids)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  ModelOptions model_;
  std::string request_;
  std::vector<std::string> strategies_;
  std::vector<double> ratios_{0.2};
  int max_new_tokens_ = 16;
  bool json_ = false, scores_ = false, printed_ = false;
};

}  // namespace

std::unique_ptr<Command> make_select(CLI::App& app) { return std::make_unique<Select>(app); }

}  // namespace kvmend
