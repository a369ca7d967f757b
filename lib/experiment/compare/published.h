#pragma once
// Papers' numbers and claims as data: results/published/NAME.yaml.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/params.h"

namespace kvmend {

/// One number that a paper prints.
struct PublishedValue {
  std::string model, strategy, task;  ///< task: ours, or a group of ours ("ruler/all")
  std::optional<double> ratio;
  double score = 0;  ///< 0 to 100
  template <class V>
  static void fields(PublishedValue& p, V& v) {
    v("model", p.model, "as the paper names it");
    v("strategy", p.strategy, "our name or label, or a name with parameters: epic (k: 32)");
    v("task", p.task, "a task or group of ours");
    v("ratio", p.ratio, "nominal", between(0, 1));
    v("score", p.score, "0 to 100", between(0, 100));
  }
};

/// An ordering or effect that a paper states: `better` scores more than `factor` times `than`, less `margin` points.
struct PublishedClaim {
  std::string says;  ///< in words
  std::string better, than, task;
  std::optional<double> ratio;
  double factor = 1;
  double margin = 0;       ///< points, 0 to 100
  std::string theirs;      ///< the size they report, in words
  std::string not_tested;  ///< why a sweep of scores cannot test it
  template <class V>
  static void fields(PublishedClaim& p, V& v) {
    v("says", p.says, "the claim in words");
    v("better", p.better, "the strategy said to be better, named as in values");
    v("than", p.than, "the other one");
    v("task", p.task, "a task or group of ours");
    v("ratio", p.ratio, "nominal", between(0, 1));
    v("factor", p.factor, "better > factor × than − margin", between(0, 10));
    v("margin", p.margin, "points that better may lie behind", between(0, 100));
    v("theirs", p.theirs, "the size they report");
    v("not_tested", p.not_tested, "why it cannot be tested by scores");
  }
};

struct Published {
  std::string name, title, source, note;  ///< note: how sure the numbers are
  std::vector<PublishedValue> values;
  std::vector<PublishedClaim> claims;
};

/// Throws Error(usage) naming file, line and column of what is wrong.
Published read_published(const std::filesystem::path& file);

/// Names in results/published.
std::vector<std::string> published_names(const std::filesystem::path& folder);

}  // namespace kvmend
