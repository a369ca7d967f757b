#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "core/error.h"
#include "eval/metric.h"

namespace kvmend {
namespace {

/// A metric over {prediction, references, all_classes} lines, outside any run.
class Score final : public Command {
 public:
  explicit Score(CLI::App& app) {
    app.add_option("metric", metric_, "see 'kvmend list metrics'")->required();
    app.add_option("file", file_, "JSON lines of {prediction, references[], all_classes[]}, or - for standard input")
        ->required();
    app.add_flag("--json", json_, "one number a line, 0 to 1, instead of the mean");
  }

  int run() override {
    const MetricInfo& metric = find_metric(metric_);
    if (file_ == "-") return score(metric, std::cin, "<stdin>");
    std::ifstream in(file_);
    if (!in) fail(ErrorKind::data, "{}: cannot read", file_);
    return score(metric, in, file_);
  }

 private:
  int score(const MetricInfo& metric, std::istream& in, const std::string& name) const {
    double sum = 0;
    std::size_t count = 0;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (line.empty()) continue;
      const double value = score_line(metric, line, name, number);
      if (json_) fmt::print("{}\n", nlohmann::json(value).dump());
      sum += value;
      ++count;
    }
    if (count == 0) fail(ErrorKind::data, "{}: no lines to score", name);
    if (!json_) fmt::print("{} {:.2f} (n = {})\n", metric.name, 100 * sum / static_cast<double>(count), count);
    return 0;
  }

  static double score_line(const MetricInfo& metric, const std::string& line, const std::string& name, int number) {
    const auto wrong = [&](const std::string& what) {
      fail(ErrorKind::data, "{}:{}:1: {}; a line is {{\"prediction\": \"…\", \"references\": [\"…\"]}}", name, number,
           what);
    };
    nlohmann::json json;
    try {
      json = nlohmann::json::parse(line);
    } catch (const nlohmann::json::parse_error& error) {
      fail(ErrorKind::data, "{}:{}:{}: not JSON", name, number, error.byte);
    }
    const auto is_texts = [](const nlohmann::json& list) {
      return list.is_array() &&
             std::all_of(list.begin(), list.end(), [](const nlohmann::json& text) { return text.is_string(); });
    };
    if (!json.is_object()) wrong("expected an object");
    for (const char* field : {"prediction", "references"}) {
      if (!json.contains(field)) wrong(fmt::format("'{}' is missing", field));
    }
    if (!json["prediction"].is_string()) wrong("'prediction' is no text");
    for (const char* field : {"references", "all_classes"}) {
      if (json.contains(field) && !is_texts(json[field])) wrong(fmt::format("'{}' is no list of texts", field));
    }
    return metric.score(json["prediction"].get<std::string>(), json["references"].get<std::vector<std::string>>(),
                        json.value("all_classes", std::vector<std::string>{}));
  }

  std::string metric_, file_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_score(CLI::App& app) { return std::make_unique<Score>(app); }

}  // namespace kvmend
