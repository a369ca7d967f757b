#include "experiment/table/overlap.h"

#include <algorithm>
#include <optional>
#include <set>

#include "experiment/selection/exact_rows.h"
#include "experiment/selection/given_order.h"
#include "experiment/selection/overlap.h"
#include "experiment/store/blob.h"
#include "experiment/store/columns.h"

namespace kvmend {
namespace {

/// What a sample's row says.
struct SampleFacts {
  TokenRanges evidence;
  std::vector<Unit> units;

  /// Where the first evidence begins, 0 to 1, within what it could have been put into.
  double depth() const {
    const auto [begin, end] = evidence.front();
    const auto chunk =
        std::find_if(units.begin(), units.end(), [](const Unit& unit) { return unit.kind == UnitKind::chunk; });
    const int first = chunk == units.end() ? 0 : chunk->begin, n = units.empty() ? 0 : units.back().end;
    const int room = n - first - (end - begin);
    return room > 0 ? std::clamp(static_cast<double>(begin - first) / room, 0.0, 1.0) : Overlap::none;
  }
};

struct CellInfo {
  std::string place, ratio;
  std::string variant;    ///< of the reference; empty: another strategy
  CommonOptions options;  ///< of the reference
};

/// What the reference took at one ratio.
struct Choice {
  std::vector<int> tokens;
  TokenRanges exact;
};

/// A reference's answers, by sample and where it ran.
struct Reference {
  std::string variant;
  ScoreRanking scores;
  std::map<std::string, Choice> choices;  ///< by ratio

  /// Whether a cell is of the one variant that answers.
  bool takes(const CellInfo& cell) {
    if (variant.empty()) variant = cell.variant;
    return variant == cell.variant;
  }
};

using Cells = std::map<std::int64_t, CellInfo>;
using Samples = std::map<std::int64_t, SampleFacts>;
using Answers = std::map<std::pair<std::string, std::int64_t>, Reference>;  ///< by place and sample

std::string ratio_key(const std::optional<double>& ratio) { return ratio ? format_number(*ratio) : ""; }

/// The order that a plan put the chunks in, nullopt for the given one.
std::optional<std::vector<int>> order_in(const std::string& text, const Store& store) {
  if (text.empty()) return std::nullopt;
  return json_column<std::vector<int>>(text, "chunk_order", store.path());
}

Samples read_samples(Store& store) {
  Samples out;
  for (auto& [sample, units] : store.units()) out[sample].units = std::move(units);
  Statement row = store.database().prepare("SELECT sample, evidence FROM samples");
  while (row.step()) out[row.integer(0)].evidence = json_column<TokenRanges>(row.text(1), "evidence", store.path());
  return out;
}

Cells read_cells(Store& store, const std::string& reference) {
  Cells out;
  const auto ids = store.cell_ids();
  std::size_t i = 0;
  for (const CellRecord& c : store.cells()) {
    CellInfo& info = out[ids[i++]];
    info.place = fmt::format("{} {} {} {} {}", c.prompts, c.weights, c.dtype, c.backend, c.load_from);
    info.ratio = ratio_key(c.ratio);
    if (c.strategy != reference) continue;
    info.variant = c.params.canonical();
    info.options = stored_options(c);
  }
  return out;
}

double share(std::size_t part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

std::vector<int> sorted_head(const std::vector<int>& ranking, std::size_t n) {
  std::vector<int> out(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(std::min(n, ranking.size())));
  std::sort(out.begin(), out.end());
  return out;
}

void compare(Overlap& overlap, const std::vector<int>& chosen, const Reference& reference, const std::string& ratio) {
  const bool scored = !reference.scores.tokens.empty();
  if (scored) overlap.crowding_out = crowding_out(chosen, reference.scores);
  const auto own = reference.choices.find(ratio);
  std::vector<int> wanted, counted;
  // Its own choice before its scores: those are stored as float16, which takes near ties for ties.
  if (own != reference.choices.end() && (!scored || own->second.tokens.size() == chosen.size())) {
    wanted = outside(own->second.tokens, own->second.exact);
    counted = outside(chosen, own->second.exact);
  } else if (scored) {
    wanted = sorted_head(reference.scores.tokens, chosen.size());
    counted = outside(chosen, reference.scores.exact);
  }
  if (wanted.empty()) return;
  const std::size_t both = common_tokens(counted, wanted);
  overlap.recall = share(both, wanted.size());
  overlap.jaccard = share(both, counted.size() + wanted.size() - both);
}

/// Selections of some rows and not all, by result; what the reference chose goes to `answers`.
std::map<std::int64_t, std::vector<int>> read_selections(Store& store, const Cells& cells, const Samples& samples,
                                                         Answers& answers) {
  std::map<std::int64_t, std::vector<int>> out;
  Statement row = store.database().prepare(
      "SELECT r.result, r.cell, r.sample, x.n, x.bitmap, r.chunk_order FROM selections x JOIN results r USING (result) "
      "WHERE x.kind IN ('original', 'selected') AND x.layer = -1 AND x.chosen > 0 AND x.chosen < x.n "
      "ORDER BY x.result, x.kind");  // where chunks were reordered, the set in the given order comes first and counts
  while (row.step()) {
    const auto [at, fresh] = out.emplace(row.integer(0), std::vector<int>());
    if (!fresh) continue;
    at->second = unpack_indices(row.blob(4), static_cast<int>(row.integer(3)));
    const CellInfo& cell = cells.at(row.integer(1));
    if (cell.variant.empty()) continue;
    Reference& entry = answers[{cell.place, row.integer(2)}];
    if (!entry.takes(cell)) continue;
    const auto order = order_in(row.text(5), store);
    entry.choices[cell.ratio] = {at->second, exact_rows(samples.at(row.integer(2)).units, cell.options, order)};
  }
  return out;
}

void read_scores(Store& store, const Cells& cells, const Samples& samples, Answers& answers) {
  Statement row = store.database().prepare(
      "SELECT r.cell, r.sample, x.half, r.chunk_order FROM scores x JOIN results r USING (result) ORDER BY x.result");
  while (row.step()) {
    const CellInfo& cell = cells.at(row.integer(0));
    if (cell.variant.empty()) continue;
    Reference& entry = answers[{cell.place, row.integer(1)}];
    if (!entry.scores.tokens.empty() || !entry.takes(cell)) continue;
    const std::vector<Unit>& units = samples.at(row.integer(1)).units;
    const auto order = order_in(row.text(3), store);
    std::vector<float> values = unpack_scores(row.blob(2));
    if (order) values = scores_as_given(std::move(values), units, *order);
    entry.scores = rank_scores(values, exact_rows(units, cell.options, order));
  }
}

}  // namespace

std::map<std::int64_t, Overlap> read_overlaps(Store& store, const std::string& reference) {
  const Cells cells = read_cells(store, reference);
  const Samples samples = read_samples(store);
  Answers answers;
  const auto selections = read_selections(store, cells, samples, answers);
  read_scores(store, cells, samples, answers);
  std::map<std::int64_t, Overlap> out;
  Statement results = store.database().prepare("SELECT result, cell, sample FROM results WHERE status = 'ok'");
  while (results.step()) {
    Overlap overlap;
    const SampleFacts& sample = samples.at(results.integer(2));
    const auto selected = selections.find(results.integer(0));
    if (!sample.evidence.empty()) overlap.depth = sample.depth();
    if (selected != selections.end()) {
      const auto& chosen = selected->second;
      std::set<int> wanted;
      for (const auto& [begin, end] : sample.evidence)
        for (int t = begin; t < end; ++t) wanted.insert(t);
      if (!wanted.empty()) {
        const auto caught = std::count_if(chosen.begin(), chosen.end(), [&](int t) { return wanted.contains(t); });
        overlap.evidence = share(static_cast<std::size_t>(caught), wanted.size());
      }
      const CellInfo& cell = cells.at(results.integer(1));
      const auto found = answers.find({cell.place, results.integer(2)});
      if (found != answers.end()) compare(overlap, chosen, found->second, cell.ratio);
    }
    out[results.integer(0)] = overlap;
  }
  return out;
}

}  // namespace kvmend
