#include "experiment/store/stored_metric.h"

#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "core/error.h"

namespace kvmend {
namespace {

std::string task_of(Database& db, const std::string& prompts) {
  Statement find = db.prepare("SELECT task FROM cells WHERE prompts = ? LIMIT 1");
  return find.bind(prompts).step() ? find.text(0) : "";
}

/// Samples of the prompts that another metric judges: ids by that metric.
std::map<std::string, std::vector<std::int64_t>> judged_otherwise(Database& db, const std::string& prompts,
                                                                  const std::string& metric) {
  std::map<std::string, std::vector<std::int64_t>> out;
  Statement rows = db.prepare("SELECT metric, sample FROM samples WHERE prompts = ? AND metric <> ? ORDER BY sample");
  rows.bind(prompts, metric);
  while (rows.step()) out[rows.text(0)].push_back(rows.integer(1));
  return out;
}

/// Returns how many results were scored.
std::int64_t score_again(Store& store, std::int64_t sample_id, const std::string& metric) {
  Database& db = store.database();
  db.prepare("UPDATE samples SET metric = ? WHERE sample = ?").bind(metric, sample_id).run();
  const SampleRecord sample = store.sample(sample_id);
  std::vector<std::pair<std::int64_t, double>> scores;
  Statement rows = db.prepare("SELECT result, prediction FROM results WHERE sample = ? AND status = 'ok'");
  rows.bind(sample_id);
  while (rows.step()) scores.emplace_back(rows.integer(0), score_prediction(sample, rows.text(1)));
  Statement update = db.prepare("UPDATE results SET score = ? WHERE result = ?");
  for (const auto& [result, score] : scores) update.bind(score, result).run();
  return static_cast<std::int64_t>(scores.size());
}

}  // namespace

std::vector<MetricChange> adopt_metrics(Store& store, const std::map<std::string, std::string>& metric_by_prompts) {
  Database& db = store.database();
  std::map<std::array<std::string, 3>, MetricChange> changes;  // by task and both metrics
  Transaction transaction(db);
  for (const auto& [prompts, metric] : metric_by_prompts) {
    const std::string task = task_of(db, prompts);
    for (const auto& [old, samples] : judged_otherwise(db, prompts, metric)) {
      MetricChange& change = changes.try_emplace({task, old, metric}, MetricChange{task, old, metric, 0}).first->second;
      for (const std::int64_t sample : samples) change.results += score_again(store, sample, metric);
    }
  }
  transaction.commit();
  std::vector<MetricChange> out;
  for (auto& [key, change] : changes) out.push_back(std::move(change));
  return out;
}

void CommonMetrics::add(Store& store) {
  Database& db = store.database();
  std::map<std::string, std::set<std::string>> here;
  Statement rows = db.prepare("SELECT DISTINCT prompts, metric FROM samples");
  while (rows.step()) here[rows.text(0)].insert(rows.text(1));
  for (const auto& [prompts, metrics] : here) {
    const auto [at, fresh] = by_prompts_.emplace(prompts, Use{metrics, store.path()});
    if (fresh || at->second.metrics == metrics) continue;
    fail(ErrorKind::usage,
         "{} is scored by {} in {} and by {} in {}; `kvmend run CONFIG -o STORE` on both scores what they hold by the "
         "config's metric, `kvmend table --metric` scores by one without changing them",
         task_of(db, prompts), fmt::join(at->second.metrics, ", "), at->second.store.string(), fmt::join(metrics, ", "),
         store.path().string());
  }
}

}  // namespace kvmend
