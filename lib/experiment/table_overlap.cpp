#include "experiment/table_overlap.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "core/error.h"
#include "experiment/blob.h"
#include "experiment/given_order.h"
#include "experiment/selection_overlap.h"

namespace kvmend {
namespace {

struct Evidence {
  std::vector<std::pair<int, int>> spans;
  int first_chunk = 0, n_context = 0;  ///< tokens that chunks begin and end at

  /// Where the first begins, 0 to 1, within what it could have been put into.
  double depth() const {
    const auto [begin, end] = spans.front();
    const int room = n_context - first_chunk - (end - begin);
    return room > 0 ? std::clamp(static_cast<double>(begin - first_chunk) / room, 0.0, 1.0) : Overlap::none;
  }
};

/// A reference's answers, by sample and where it ran.
struct Reference {
  std::vector<int> ranking;                      ///< tokens by descending score; empty without scores
  std::size_t attended_tokens = 0;               ///< of the ranking
  std::map<std::string, std::vector<int>> sets;  ///< its selections by ratio
};

std::string ratio_key(const std::optional<double>& ratio) { return ratio ? format_number(*ratio) : ""; }

void rank(Reference& reference, const std::vector<float>& scores) {
  reference.ranking = ranking_of(scores);
  reference.attended_tokens = attended_tokens(scores, reference.ranking);
}

/// A JSON column as T; what another program wrote there is refused by name.
template <class T>
T column(Store& store, const std::string& text, const char* name) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(ErrorKind::data, "{}: column {} is damaged: {}", store.path().string(), name, text.substr(0, 60));
  }
}

std::map<std::int64_t, Evidence> read_evidence(Store& store) {
  std::map<std::int64_t, Evidence> out;
  Statement row = store.database().prepare("SELECT sample, evidence, n_context, units FROM samples");
  while (row.step()) {
    Evidence evidence;
    evidence.spans = column<std::vector<std::pair<int, int>>>(store, row.text(1), "evidence");
    evidence.n_context = static_cast<int>(row.integer(2));
    using Units = std::vector<std::tuple<std::string, int, int>>;
    for (const auto& [kind, begin, end] : column<Units>(store, row.text(3), "units")) {
      if (kind != "chunk") continue;
      evidence.first_chunk = begin;
      break;
    }
    out[row.integer(0)] = std::move(evidence);
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
  std::vector<int> wanted;
  if (!reference.ranking.empty()) {
    wanted = sorted_head(reference.ranking, chosen.size());
    const std::size_t heard = common_tokens(chosen, sorted_head(reference.ranking, reference.attended_tokens));
    overlap.crowding_out = 1 - share(heard, chosen.size());
  } else if (const auto set = reference.sets.find(ratio); set != reference.sets.end()) {
    wanted = set->second;
  }
  if (wanted.empty()) return;
  const std::size_t both = common_tokens(chosen, wanted);
  overlap.recall = share(both, wanted.size());
  overlap.jaccard = share(both, chosen.size() + wanted.size() - both);
}

}  // namespace

std::map<std::int64_t, Overlap> read_overlaps(Store& store, const std::string& reference) {
  struct CellInfo {
    std::string place, ratio;
    bool is_reference = false;
  };
  std::map<std::int64_t, CellInfo> cells;
  const auto ids = store.cell_ids();
  std::size_t i = 0;
  for (const CellRecord& c : store.cells()) {
    cells[ids[i++]] = {fmt::format("{} {} {} {} {}", c.prompts, c.weights, c.dtype, c.backend, c.load_from),
                       ratio_key(c.ratio), c.strategy == reference};
  }
  Database& db = store.database();
  std::map<std::pair<std::string, std::int64_t>, Reference> references;  // by place and sample
  std::map<std::int64_t, std::vector<int>> selections;                   // by result
  Statement row = db.prepare(
      "SELECT r.result, r.cell, r.sample, x.n, x.bitmap FROM selections x JOIN results r USING (result) "
      "WHERE x.kind IN ('original', 'selected') AND x.layer = -1 AND x.chosen > 0 AND x.chosen < x.n "
      "ORDER BY x.result, x.kind");  // where chunks were reordered, the set in the given order comes first and counts
  while (row.step()) {
    if (selections.contains(row.integer(0))) continue;
    auto chosen = unpack_indices(row.blob(4), static_cast<int>(row.integer(3)));
    const CellInfo& cell = cells.at(row.integer(1));
    if (cell.is_reference) references[{cell.place, row.integer(2)}].sets[cell.ratio] = chosen;
    selections[row.integer(0)] = std::move(chosen);
  }
  Statement scores =
      db.prepare("SELECT r.cell, r.sample, x.half, r.chunk_order FROM scores x JOIN results r USING (result)");
  while (scores.step()) {
    const CellInfo& cell = cells.at(scores.integer(0));
    if (!cell.is_reference) continue;
    Reference& entry = references[{cell.place, scores.integer(1)}];
    if (!entry.ranking.empty()) continue;
    std::vector<float> values = unpack_scores(scores.blob(2));
    if (!scores.text(3).empty()) {
      const auto order = column<std::vector<int>>(store, scores.text(3), "chunk_order");
      values = scores_as_given(std::move(values), store.sample(scores.integer(1)).units, order);
    }
    rank(entry, values);
  }
  const auto evidence = read_evidence(store);
  std::map<std::int64_t, Overlap> out;
  Statement results = db.prepare("SELECT result, cell, sample FROM results WHERE status = 'ok'");
  while (results.step()) {
    Overlap overlap;
    const Evidence& spans = evidence.at(results.integer(2));
    const auto selected = selections.find(results.integer(0));
    if (!spans.spans.empty()) overlap.depth = spans.depth();
    if (selected != selections.end()) {
      const auto& chosen = selected->second;
      std::set<int> wanted;
      for (const auto& [begin, end] : spans.spans)
        for (int t = begin; t < end; ++t) wanted.insert(t);
      if (!wanted.empty()) {
        const auto caught = std::count_if(chosen.begin(), chosen.end(), [&](int t) { return wanted.contains(t); });
        overlap.evidence = share(static_cast<std::size_t>(caught), wanted.size());
      }
      const CellInfo& cell = cells.at(results.integer(1));
      const auto found = references.find({cell.place, results.integer(2)});
      if (found != references.end()) compare(overlap, chosen, found->second, cell.ratio);
    }
    out[results.integer(0)] = overlap;
  }
  return out;
}

}  // namespace kvmend
