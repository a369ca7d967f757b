#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_options.h"
#include "apps/kvmend/plugin_option.h"
#include "apps/kvmend/strategy_argument.h"
#include "apps/kvmend/terminal.h"
#include "apps/kvmend/verbosity.h"
#include "core/error.h"
#include "core/file.h"
#include "core/progress.h"
#include "datasets/sample_json.h"
#include "experiment/selection/budget_use.h"
#include "experiment/selection/given_order.h"
#include "experiment/selection/kept.h"
#include "experiment/selection/outcome_json.h"
#include "experiment/selection/overlap.h"
#include "experiment/selection/token_paint.h"
#include "experiment/text/labels.h"
#include "recompute/auxiliary.h"
#include "recompute/isolated.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

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
    add_plugin_option(app);
    app.add_option("--ratio", ratios_, "recomputation ratios, with commas")->delimiter(',')->capture_default_str();
    app.add_option("--max-new-tokens", max_new_tokens_, "")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    app.add_flag("--json", json_, "the selection as JSON");
    app.add_flag("--scores", scores_, "with --json: every context token's score");
    app.add_flag("--overlap", overlap_, "how the selections overlap, and which lie outside what the query attends to");
    app.add_flag("--text", text_, "the context, coloured by what each strategy scored and selected");
    add_verbosity_options(app, quiet_, verbose_, "how long each strategy's phases took");
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
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i == 0 || cells[i].strategy != cells[i - 1].strategy) check_auxiliaries(*cells[i].strategy);
    }
    const auto [request, evidence] = read(*opened.tokenizer);
    const ModelConfig& config = opened.files->config();
    check_request(request, config.vocab, config.context_length, max_new_tokens_);  // before weights are loaded
    const bool unrotated = std::any_of(cells.begin(), cells.end(),
                                       [](const CellSpec& cell) { return cell.strategy->selector->corrects_reused(); });
    Engine engine(*opened.files, model_.backend(config, request.n_tokens() + max_new_tokens_, unrotated));
    RunnerOptions options;
    options.bos = opened.tokenizer->bos();
    options.decode.stops = opened.tokenizer->stops();
    options.decode.max_new_tokens = max_new_tokens_;
    const std::int64_t token_bytes = kv_bytes_per_token(engine.model().config(), engine.backend().compute_dtype());
    Json results = Json::array();
    std::vector<Outcome> outcomes;
    if (!json_ && text_) fmt::print("{}\n", paint_legend(color(), true));
    Progress progress(static_cast<std::int64_t>(cells.size()), "strategies", quiet_);
    for (const CellSpec& cell : cells) {
      const auto share = static_cast<double>(outcomes.size()) / static_cast<double>(cells.size());
      progress.update(static_cast<std::int64_t>(outcomes.size()), share, name_of(cell));
      const Outcome outcome = run_isolated(engine, request, cell, options);
      progress.clear();
      if (verbose_) print_phases(cell, outcome.seconds);
      if (json_)
        results.push_back(result_json(cell, outcome, *opened.tokenizer, request, token_bytes));
      else
        print_line(cell, outcome, *opened.tokenizer, request, token_bytes);
      if (!json_ && text_) print_text(outcome, request, evidence);
      outcomes.push_back(outcome);
    }
    if (!json_) print_budget(cells, outcomes, request, evidence);
    SelectionOverlap overlap;
    if (overlap_) overlap = compare(engine, request, cells, outcomes, options);
    if (json_)
      print_json(engine, request, std::move(results), overlap_ ? Json::parse(overlap_json(overlap)) : Json());
    else if (overlap_)
      fmt::print("\n{}", overlap_text(overlap));
    return 0;
  }

 private:
  /// Beside each other and beside the query's attention in a full prefill, which is computed for this alone.
  static SelectionOverlap compare(Engine& engine, const Request& request, const std::vector<CellSpec>& cells,
                                  const std::vector<Outcome>& outcomes, const RunnerOptions& options) {
    std::vector<std::string> names;
    std::vector<std::vector<int>> selections;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::vector<int> chosen = as_given(outcomes[i], request.units).selected;
      if (chosen.empty() || static_cast<int>(chosen.size()) == request.n_context()) continue;
      names.push_back(name_of(cells[i]));
      selections.push_back(std::move(chosen));
    }
    RunnerOptions once = options;
    once.decode.max_new_tokens = 1;
    const CellSpec oracle{parse_strategy_argument("oracle_attention"), 0};
    const Outcome attention = run_isolated(engine, request, oracle, once);
    return overlap_of(std::move(names), selections,
                      rank_scores(attention.scores, exact_rows(request.units, oracle.strategy->options)),
                      oracle.strategy->label);
  }

  static std::string name_of(const CellSpec& cell) {
    const Strategy& strategy = *cell.strategy;
    return strategy.info.uses_ratio ? at_ratio(strategy.label, cell.ratio) : strategy.label;
  }

  static void print_phases(const CellSpec& cell, const PhaseSeconds& s) {
    fmt::print(stderr,
               "kvmend: {}: load {:.3f}, place {:.3f}, select {:.3f}, recompute {:.3f}, query {:.3f}, first token "
               "{:.3f} s\n",
               name_of(cell), s.load, s.place, s.select, s.recompute, s.query, s.first_token);
  }

  bool color() const { return wants_color("auto"); }

  static void print_budget(const std::vector<CellSpec>& cells, const std::vector<Outcome>& outcomes,
                           const Request& request, const TokenRanges& evidence) {
    std::vector<BudgetUse> uses;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      BudgetUse use = budget_use(as_given(outcomes[i], request.units).selected, request.units, evidence);
      use.name = cells[i].strategy->label;
      use.ratio = ratio_text(cells[i]);
      use.exact = outcomes[i].exact_selected;
      uses.push_back(std::move(use));
    }
    const auto width = static_cast<std::size_t>(std::max(40, terminal_columns()));
    const std::string table = budget_text(uses, request.units, evidence_tokens(request.units, evidence), width);
    if (!table.empty()) fmt::print("\nWhere the budget went:\n{}", table);
  }

  static std::string ratio_text(const CellSpec& cell) {
    return cell.strategy->info.uses_ratio ? fmt::format("{}", cell.ratio) : "–";
  }

  void print_text(const Outcome& o, const Request& request, const TokenRanges& evidence) const {
    if (request.token_begin.empty()) {
      fmt::print("(token ids only: no text to show)\n");
      return;
    }
    const TokenTable tokens{{}, request.token_begin, request.token_end};
    const AsGiven given = as_given(o, request.units);
    const auto marks =
        token_marks(request.n_context(), given.selected, given.kept ? &*given.kept : nullptr, evidence, given.scores);
    for (const Unit& unit : request.units)
      fmt::print("{}\n", paint_tokens(request.text, tokens, unit.begin, unit.end, marks, color()));
  }

  /// The request, and its evidence where it is a sample's line.
  std::pair<Request, TokenRanges> read(const Tokenizer& tokenizer) const {
    std::string text, name = request_;
    if (request_ == "-") {
      text = {std::istreambuf_iterator<char>(std::cin), {}};
      name = "<stdin>";
    } else {
      text = read_file(request_);
    }
    Request request = read_request(text, name, tokenizer);
    TokenRanges evidence = read_evidence(text, name, request);
    return {std::move(request), std::move(evidence)};
  }

  Json result_json(const CellSpec& cell, const Outcome& o, const Tokenizer& tokenizer, const Request& request,
                   std::int64_t bytes_per_token) const {
    Json out{{"strategy", cell.strategy->info.name}, {"label", cell.strategy->label}};
    out["ratio"] = cell.strategy->info.uses_ratio ? Json(cell.ratio) : Json();
    out["params"] = Json::parse(cell.strategy->canonical.canonical());
    out["selected"] = o.selected;
    out["exact_selected"] = o.exact_selected;
    out["selected_per_layer"] = or_null(o.selected_per_layer);
    out["kept"] = or_null(o.kept);
    if (o.kept) {
      out["kept_fraction"] = kept_fraction(o, request.n_context());
      out["memory_saved_bytes"] = dropped_rows(o, request.n_context()) * bytes_per_token;
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

  void print_json(Engine& engine, const Request& request, Json results, const Json& overlap) const {
    Json out{{"model", model_.model},
             {"dtype", model_.dtype},
             {"device", engine.backend().name()},
             {"n_context", request.n_context()},
             {"n_query", request.n_query()},
             {"units", units_json(request.units)},
             {"results", std::move(results)}};
    if (!overlap.is_null()) out["overlap"] = overlap;
    fmt::print("{}\n", out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }

  void print_line(const CellSpec& cell, const Outcome& o, const Tokenizer& tokenizer, const Request& request,
                  std::int64_t bytes_per_token) {
    if (!printed_) {
      fmt::print("{} context tokens in {} units, {} of the query\n", request.n_context(), request.units.size(),
                 request.n_query());
      fmt::print("{:<28} {:>6} {:>9} {:>10} {:>10} {:>8}  prediction\n", "strategy", "ratio", "selected", "effective",
                 "rel. FLOPs", "TTFT s");
      printed_ = true;
    }
    fmt::print("{:<28} {:>6} {:>9} {:>9.1f}% {:>9.1f}% {:>8.3f}  {}\n", cell.strategy->label, ratio_text(cell),
               o.selected.size(), 100 * o.effective_ratio, 100 * o.flops_ratio, o.seconds.ttft(),
               Json(tokenizer.decode(o.prediction_ids)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    const std::string kept = kept_text(o, request.n_context(), static_cast<double>(bytes_per_token));
    if (!kept.empty()) fmt::print("  {}\n", kept);
    const std::string& note = cell.strategy->info.note;
    if (!note.empty()) fmt::print("  {}\n", note);
  }

  ModelOptions model_;
  std::string request_;
  std::vector<std::string> strategies_;
  std::vector<double> ratios_{0.2};
  int max_new_tokens_ = 16;
  bool json_ = false, scores_ = false, overlap_ = false, text_ = false, printed_ = false, quiet_ = false,
       verbose_ = false;
};

}  // namespace

std::unique_ptr<Command> make_select(CLI::App& app) { return std::make_unique<Select>(app); }

}  // namespace kvmend
