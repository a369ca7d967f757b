#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "core/error.h"
#include "experiment/report/parts.h"
#include "experiment/store/run_facts.h"
#include "experiment/table/cells.h"
#include "experiment/table/marks.h"

namespace kvmend {
namespace {

/// A sample in one of the stores.
struct Place {
  std::size_t store = 0;
  std::int64_t sample = 0;
};

/// A sample in the page: what all stores have of it.
struct Entry {
  OrderedJson json;
  std::vector<Place> places;
  std::map<std::string, std::size_t> results;  ///< by cell key: where they stand in the lists of `json`
  double disagreement = 0;                     ///< variance of the scores of strategies
};

/// Where the lists of an entry's JSON stand in it.
enum Field : std::uint8_t { cells_field = 3, scores_field, numbers_field, predictions_field };

double variance(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0, squares = 0;
  for (const double v : values) sum += v, squares += v * v;
  const auto n = static_cast<double>(values.size());
  return squares / n - (sum / n) * (sum / n);
}

/// The number of a prediction among a sample's different ones.
std::size_t prediction_number(OrderedJson& predictions, const std::string& text) {
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i].get_ref<const std::string&>() == text) return i;
  }
  predictions.push_back(text);
  return predictions.size() - 1;
}

/// [skipped, chosen, skipped, chosen, …]: small numbers, which pack well.
OrderedJson runs_of(const std::vector<int>& chosen) {
  OrderedJson out = OrderedJson::array();
  int at = 0;
  for (std::size_t i = 0; i < chosen.size();) {
    std::size_t next = i + 1;
    while (next < chosen.size() && chosen[next] == chosen[next - 1] + 1) ++next;
    out.push_back(chosen[i] - at);
    out.push_back(next - i);
    at = chosen[next - 1] + 1;
    i = next;
  }
  return out;
}

/// Each number less the one before it.
OrderedJson steps_of(const std::vector<std::uint32_t>& ascending) {
  OrderedJson out = OrderedJson::array();
  std::uint32_t last = 0;
  for (const std::uint32_t x : ascending) {
    out.push_back(x - last);
    last = x;
  }
  return out;
}

class Browser {
 public:
  Browser(const std::vector<std::filesystem::path>& paths, const TableData& data, const ReportQuery& query) {
    TableQuery table_query;
    table_query.where = query.where;
    const bool some = asks_for_evidence(query.where);
    if (some) samples_.emplace();
    for (const auto* cell : filter_cells(data, table_query)) {
      wanted_.emplace(without_seed(cell->record), cell);
      for (const Observation& o : some ? cell->observations : std::vector<Observation>()) samples_->insert(o.sample);
    }
    for (const auto& path : paths) add_store(Store::open(path, Store::Mode::read));
    measure_disagreement();
  }

  /// `room`: bytes for everything; the texts of the last ones in order give way.
  ReportSamples finish(int with_text, std::size_t room) {
    std::vector<std::size_t> order(entries_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return entries_[a].disagreement > entries_[b].disagreement; });
    const std::size_t wanted = std::min(static_cast<std::size_t>(with_text), entries_.size());
    std::vector<std::string> texts;
    std::size_t size = 0;
    for (; texts.size() < wanted && size <= room; size += texts.back().size())
      texts.push_back(pack_block(text_of(entries_[order[texts.size()]])) + "\n");
    ReportSamples out;
    out.all = pack_block(all_samples(order, texts.size()));
    if (out.all.size() + size > room) {
      for (; !texts.empty() && out.all.size() + size > room; texts.pop_back()) size -= texts.back().size();
      out.all = pack_block(all_samples(order, texts.size()));
    }
    for (const auto& text : texts) out.texts += text;
    out.with_text = static_cast<int>(texts.size());
    out.count = static_cast<int>(entries_.size());
    out.cells = cells_;
    for (const auto& cell : cells_) {
      const std::string label = cell["label"], name = cell["name"];
      if (name == "full") out.default_a = label;
      if (!is_reference_strategy(name)) out.default_b = label;
    }
    if (out.default_a.empty() && !cells_.empty()) out.default_a = cells_.front()["label"];
    return out;
  }

 private:
  /// Every sample's scores and predictions, in order; the first ones name their text's block.
  OrderedJson all_samples(const std::vector<std::size_t>& order, std::size_t with_text) {
    OrderedJson all = OrderedJson::array();
    for (std::size_t i = 0; i < order.size(); ++i) {
      OrderedJson& json = entries_[order[i]].json;
      json.back() = i < with_text ? static_cast<int>(i) : -1;
      all.push_back(json);
    }
    return all;
  }

  /// The number of a cell in the page; samples of all prompts share the numbers of one label.
  int number_of(const CellRecord& record, const TableCell& cell) {
    const bool replicate = cell.strategy == record.series && record.label != record.series;
    std::string label = with_note(replicate ? record.label : cell.strategy, cell.note);
    if (record.ratio) label += ", " + heading("ratio", format_number(*record.ratio));
    const auto [at, fresh] = numbers_.emplace(label, static_cast<int>(cells_.size()));
    if (fresh) {
      cells_.push_back({{"label", label},
                        {"strategy", with_note(cell.strategy, cell.note)},
                        {"name", record.strategy},
                        {"ratio", record.ratio ? OrderedJson(*record.ratio) : OrderedJson()}});
    }
    return at->second;
  }

  /// The table's cell that a record belongs to; null: --where leaves it out.
  const TableCell* find(const CellRecord& record) const {
    const auto found = wanted_.find(without_seed(record));
    return found == wanted_.end() ? nullptr : found->second;
  }

  void add_store(Store opened) {
    stores_.push_back(std::make_unique<Store>(std::move(opened)));
    Store& store = *stores_.back();
    const auto cells = store.cells();
    const auto ids = store.cell_ids();
    std::map<std::int64_t, std::size_t> by_id;
    for (std::size_t i = 0; i < ids.size(); ++i) by_id[ids[i]] = i;
    Statement rows = store.database().prepare(
        "SELECT r.cell, r.sample, r.score, r.prediction, s.id, s.answers, printf('%s:%09d', s.prompts, s.position) "
        "FROM results r JOIN samples s USING (sample) ORDER BY r.sample, r.cell");
    while (rows.step()) {
      const CellRecord& cell = cells[by_id.at(rows.integer(0))];
      const TableCell* table_cell = find(cell);
      if (table_cell && (!samples_ || samples_->contains(rows.text(6)))) add_result(rows, cell, *table_cell);
    }
  }

  /// Adds a row of add_store's, of the store that was opened last, to its sample's entry. What another store has already counts
  /// once, unless it failed there and not here.
  void add_result(const Statement& row, const CellRecord& cell, const TableCell& table_cell) {
    const auto [known, fresh_sample] = by_sample_.emplace(row.text(6), entries_.size());
    if (fresh_sample) {
      entries_.emplace_back().json = {row.text(4),
                                      table_cell.task,
                                      OrderedJson::parse(row.text(5)),
                                      OrderedJson::array(),
                                      OrderedJson::array(),
                                      OrderedJson::array(),
                                      OrderedJson::array(),
                                      -1};
    }
    Entry& entry = entries_[known->second];
    const std::size_t store = stores_.size() - 1;
    if (entry.places.empty() || entry.places.back().store != store) entry.places.push_back({store, row.integer(1)});
    OrderedJson &scores = entry.json[scores_field], &numbers = entry.json[numbers_field];
    const auto [at, fresh] = entry.results.emplace(cell.key, scores.size());
    if (!fresh && (row.is_null(2) || !scores[at->second].is_null())) return;
    if (fresh) {
      entry.json[cells_field].push_back(number_of(cell, table_cell));
      scores.push_back(nullptr);
      numbers.push_back(nullptr);
    }
    if (!row.is_null(2)) scores[at->second] = row.real(2);
    numbers[at->second] = prediction_number(entry.json[predictions_field], row.text(3));
  }

  /// Only strategies count: that references differ from them is no news.
  void measure_disagreement() {
    for (Entry& entry : entries_) {
      std::vector<double> scores;
      for (std::size_t i = 0; i < entry.json[scores_field].size(); ++i) {
        const OrderedJson& score = entry.json[scores_field][i];
        const std::string name = cells_[entry.json[cells_field][i].get<std::size_t>()]["name"];
        if (!score.is_null() && !is_reference_strategy(name)) scores.push_back(score);
      }
      entry.disagreement = variance(scores);
    }
  }

  OrderedJson text_of(const Entry& entry) {
    const SampleRecord sample = stores_[entry.places.front().store]->sample(entry.places.front().sample);
    OrderedJson out;
    out["text"] = sample.text;
    out["steps"] = steps_of(sample.tokens.begin);
    out["n_context"] = sample.n_context;
    out["units"] = OrderedJson::array();
    for (const Unit& unit : sample.units)
      out["units"].push_back({unit.kind == UnitKind::prefix ? "prefix" : "chunk", unit.begin, unit.end});
    out["evidence"] = sample.evidence;
    out["selected"] = OrderedJson::array();
    std::set<std::string> seen;  // cells
    for (const Place& place : entry.places) add_selections(out["selected"], place, seen);
    return out;
  }

  void add_selections(OrderedJson& out, const Place& place, std::set<std::string>& seen) {
    Store& store = *stores_[place.store];
    const auto cells = store.cells();
    const auto ids = store.cell_ids();
    Statement rows = store.database().prepare(
        "SELECT r.cell, x.n, x.bitmap FROM selections x JOIN results r USING (result) WHERE r.sample = ? AND x.kind IN "
        "('original', 'selected') AND x.layer = -1 ORDER BY r.cell, x.kind");
    rows.bind(place.sample);
    while (rows.step()) {
      const auto at = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), rows.integer(0)) - ids.begin());
      const TableCell* table_cell = find(cells[at]);
      // Once; of reordered chunks the indices in the text's order, which come first.
      if (!table_cell || !seen.insert(cells[at].key).second) continue;
      out.push_back({number_of(cells[at], *table_cell),
                     runs_of(unpack_indices(rows.blob(2), static_cast<int>(rows.integer(1))))});
    }
  }

  std::map<std::string, const TableCell*> wanted_;  ///< by record without seed
  std::map<std::string, std::size_t> by_sample_;    ///< entries by sample_key
  std::optional<std::set<std::string>> samples_;    ///< only these, by sample_key: those of the evidence asked for
  std::map<std::string, int> numbers_;
  OrderedJson cells_ = OrderedJson::array();
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<Store>> stores_;
};

}  // namespace

ReportSamples report_samples(const std::vector<std::filesystem::path>& stores, const TableData& data,
                             const ReportQuery& query, std::size_t taken) {
  constexpr std::size_t names = 200'000;  // bytes that the list of cells and the page's numbers may take
  const std::size_t room = query.largest > taken + names ? query.largest - taken - names : 0;
  ReportSamples out = Browser(stores, data, query).finish(query.samples, room);
  if (out.with_text < std::min(query.samples, out.count)) {
    out.note =
        fmt::format("--samples {} became {}: the text and selections of more would make the page larger than {:.3g} MB",
                    query.samples, out.with_text, static_cast<double>(query.largest) / 1e6);
  }
  return out;
}

}  // namespace kvmend
