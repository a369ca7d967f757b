#include <nlohmann/json.hpp>

#include "core/error.h"
#include "eval/metric.h"
#include "experiment/table/data.h"

namespace kvmend {

std::map<std::int64_t, double> scores_by_metric(Store& store, const std::string& name) {
  const MetricInfo& metric = find_metric(name);
  if (metric.check) metric.check();
  const auto list = [&](const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_array()) fail(ErrorKind::data, "{}: a sample's answers are damaged", store.path().string());
    return json.get<std::vector<std::string>>();
  };
  std::map<std::int64_t, double> out;
  Statement rows = store.database().prepare(
      "SELECT r.result, r.prediction, s.answers, s.all_classes FROM results r JOIN samples s USING (sample) "
      "WHERE r.status = 'ok'");
  while (rows.step()) out[rows.integer(0)] = metric.score(rows.text(1), list(rows.text(2)), list(rows.text(3)));
  return out;
}

}  // namespace kvmend
