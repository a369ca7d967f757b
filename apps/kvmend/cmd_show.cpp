#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/condition.h"
#include "apps/kvmend/terminal.h"
#include "core/error.h"
#include "experiment/report/sample_view.h"
#include "experiment/selection/kept.h"
#include "experiment/selection/overlap.h"
#include "experiment/selection/token_paint.h"
#include "experiment/store/export.h"
#include "experiment/table/cells.h"
#include "experiment/text/labels.h"
#include "experiment/text/width.h"

namespace kvmend {
namespace {

std::string ratio_text(const CellRecord& cell) { return cell.ratio ? format_number(*cell.ratio) : "–"; }

/// One sample: its chunks, what each strategy selected, predictions and scores.
class Show final : public Command {
 public:
  explicit Show(CLI::App& app) {
    app.add_option("store", store_, "")->required();
    app.add_option("sample", sample_, "a sample's id, or the end of one: niah_multikey_1-42-0")->required();
    app.add_option("--where", where_, "only these cells: 'strategy=epic', 'ratio=0.2'; repeat for several")
        ->allow_extra_args(false);
    app.add_option("--ratio", ratio_, "the ratio whose selections are shown in the text; default: the one nearest 0.2");
    app.add_option("--text", text_, "units shown with their selections: those with evidence, all or none")
        ->check(CLI::IsMember({"evidence", "all", "none"}))
        ->capture_default_str();
    app.add_option("--color", color_when_, "auto, always or never")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    app.add_flag("--json", json_, "the sample's rows as `kvmend export` prints them");
    app.add_flag("--overlap", overlap_only_, "only how the selections overlap; with --json as one object");
  }

  int run() override {
    Conditions where;
    for (const std::string& condition : where_) where.push_back(parse_condition(condition));
    Store store = Store::open(store_, Store::Mode::read);
    const SampleView view = load_sample_view(store, sample_, where);
    if (overlap_only_) {
      const SelectionOverlap overlap = selection_overlap(view, ratio_);
      fmt::print("{}{}", json_ ? overlap_json(overlap) : overlap_text(overlap), json_ ? "\n" : "");
      return 0;
    }
    if (json_) {
      const RunFacts facts(store);
      for (const CellView& cell : view.cells)
        fmt::print("{}\n", result_as_json(view.sample, cell.cell, cell.result, facts));
      return 0;
    }
    width_ = static_cast<std::size_t>(std::max(40, terminal_columns()));
    color_ = wants_color(color_when_);
    print_heading(view);
    print_units(view);
    print_cells(view);
    print_facts(view, RunFacts(store));
    print_budget(view);
    print_overlap(view);
    if (text_ != "none") print_texts(view);
    return 0;
  }

 private:
  void print_heading(const SampleView& view) const {
    const SampleRecord& s = view.sample;
    const CellRecord& cell = view.cells.front().cell;
    fmt::print("{}  ({}; {}; chunks {}; {})\n", s.id, cell.task, cell.model, cell.chunker.flow(), cell.dtype);
    fmt::print("{} context tokens in {} units, {} of the query; {} of evidence; prompt {}\n", s.n_context,
               s.units.size(), s.n_query, view.evidence_tokens, s.prompt_hash.substr(0, 8));
    const int n = s.n_context;
    fmt::print("question    {}\n", one_line(view.text(n + s.question_begin, n + s.question_end),
                                            width_ - std::min<std::size_t>(width_, 12)));
    fmt::print("references  {}  (scored by {})\n", fmt::join(s.references, " | "), s.metric);
  }

  void print_units(const SampleView& view) const {
    fmt::print("\n{:<10} {:>13} {:>6} {:>8}  begins with\n", "unit", "tokens", "count", "evidence");
    for (std::size_t u = 0; u < view.sample.units.size(); ++u) {
      const Unit& unit = view.sample.units[u];
      const int evidence = view.evidence_in(unit);
      fmt::print("{:<10} {:>13} {:>6} {:>8}  {}\n", view.unit_name(u), fmt::format("{}–{}", unit.begin, unit.end - 1),
                 unit.size(), evidence > 0 ? std::to_string(evidence) : "",
                 one_line(view.text(unit.begin, unit.end), width_ - 43));
    }
  }

  /// A line a cell: score, cost, what it answered.
  void print_cells(const SampleView& view) const {
    std::size_t name = 8;
    for (const CellView& cell : view.cells) name = std::max(name, display_width(cell.cell.label));
    fmt::print("\n{} {:>5} {:>6} {:>8} {:>6}  prediction\n", pad_right("strategy", name), "ratio", "score", "selected",
               "FLOPs");
    for (const CellView& cell : view.cells) {
      const Outcome& o = cell.result.outcome;
      if (cell.failed()) {
        fmt::print("{} {:>5} failed: {}\n", pad_right(cell.cell.label, name), ratio_text(cell.cell), o.error);
        continue;
      }
      const std::string line =
          fmt::format("{} {:>5} {:>6.1f} {:>8} {:>5.0f}%  ", pad_right(cell.cell.label, name), ratio_text(cell.cell),
                      100 * cell.result.score, o.selected.size(), 100 * o.flops_ratio);
      const std::size_t used = display_width(line);
      fmt::print("{}{}\n", line, one_line(cell.result.prediction, width_ > used + 20 ? width_ - used : 20));
    }
  }

  void print_budget(const SampleView& view) const {
    std::vector<BudgetUse> uses;
    for (const CellView& cell : view.cells) uses.push_back(cell.use);
    const std::string table = budget_text(uses, view.sample.units, view.evidence_tokens, width_);
    if (!table.empty()) fmt::print("\nWhere the budget went:\n{}", table);
  }

  /// What was kept of the context, and what is to be known of a strategy.
  void print_facts(const SampleView& view, const RunFacts& facts) const {
    for (const CellView& cell : view.cells) {
      const std::string kept =
          kept_text(cell.result.outcome, view.sample.n_context, facts.kv_bytes_per_token(cell.cell));
      if (!kept.empty()) fmt::print("{} {}\n", at_ratio(cell.cell.label, cell.cell.ratio), kept);
    }
    StrategyNotes notes;
    for (const CellView& cell : view.cells) add_note(notes, cell.cell.label, facts.note(cell.cell));
    for (const std::string& line : table_foot(notes)) fmt::print("{}\n", line);
  }

  /// Strategies at the ratio shown: who agrees with whom, and who spends on what the query does not attend to.
  void print_overlap(const SampleView& view) const {
    const double ratio = shown_ratio(view);
    const SelectionOverlap overlap = selection_overlap(view, ratio);
    if (overlap.names.size() < 2) return;
    fmt::print("\nOverlap{}:\n{}", ratio < 0 ? "" : fmt::format(" at {}", ratio), overlap_text(overlap));
  }

  /// The ratio asked for, or the one nearest 0.2.
  double shown_ratio(const SampleView& view) const {
    double best = -1;
    for (const CellView& cell : view.cells) {
      if (!cell.cell.ratio) continue;
      const double ratio = *cell.cell.ratio, wanted = ratio_ < 0 ? 0.2 : ratio_;
      if (best < 0 || std::abs(ratio - wanted) < std::abs(best - wanted)) best = ratio;
    }
    if (ratio_ >= 0 && std::abs(best - ratio_) > 1e-9) {
      fail(ErrorKind::usage, "--ratio: no cell of this sample ran at {}; the nearest is {}", ratio_, best);
    }
    return best;
  }

  void print_texts(const SampleView& view) const {
    if (view.sample.tokens.begin.empty()) {
      fmt::print("\nThe store has this prompt as token ids only: no text to show.\n");
      return;
    }
    const double ratio = shown_ratio(view);
    const bool all = text_ == "all" || view.evidence_tokens == 0;
    bool scores = false;
    for (const CellView& cell : view.cells) scores = scores || !cell.result.outcome.scores.empty();
    bool legend = false;
    for (const CellView& cell : view.cells) {
      const AsGiven& given = cell.given;
      const bool chosen = !given.selected.empty() && static_cast<int>(given.selected.size()) < view.sample.n_context;
      if (cell.failed() || !(chosen || cell.cell.ratio) || (cell.cell.ratio && *cell.cell.ratio != ratio)) continue;
      if (!legend) fmt::print("\n{}\n", paint_legend(color_, scores));
      legend = true;
      fmt::print("\n{} at {}: {}\n", cell.cell.label, ratio_text(cell.cell),
                 all ? "the whole context" : "the units with evidence");
      const auto marks = token_marks(view.sample.n_context, given.selected, given.kept ? &*given.kept : nullptr,
                                     view.sample.evidence, given.scores);
      for (std::size_t u = 0; u < view.sample.units.size(); ++u) {
        const Unit& unit = view.sample.units[u];
        if (!all && view.evidence_in(unit) == 0) continue;
        fmt::print("[{}] {}\n", view.unit_name(u),
                   paint_tokens(view.sample.text, view.sample.tokens, unit.begin, unit.end, marks, color_));
      }
    }
  }

  std::string store_, sample_, text_ = "evidence", color_when_ = "auto";
  std::vector<std::string> where_;
  double ratio_ = -1;
  bool json_ = false, overlap_only_ = false, color_ = false;
  std::size_t width_ = 120;
};

}  // namespace

std::unique_ptr<Command> make_show(CLI::App& app) { return std::make_unique<Show>(app); }

}  // namespace kvmend
