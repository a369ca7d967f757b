// A thousand samples of every generated task.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_set>

#include "catch.h"
#include "core/hash.h"
#include "fakes.h"

using namespace kvmend;

namespace {

constexpr int n_samples = 1000;

/// Long enough for some thirty places to hide a needle at.
int short_length(const std::string& name) { return name.find("niah") != std::string::npos ? 1600 : 1100; }

}  // namespace

TEST_CASE("a thousand samples: distinct, near their length, needles at every depth in every order") {
  const FakeTokenizer tokenizer;
  for (const auto& name : expand_task_group("ruler/all", {})) {
    if (name.starts_with("ruler/qa")) continue;  // its data is the user's
    INFO(name);
    const int length = short_length(name);
    const auto task = fake_task(name, yaml_map({{"length", length}, {"samples", n_samples}}), tokenizer);
    std::unordered_set<std::string> prompts, ids, answers;
    std::vector<int> tenths(10, 0);
    std::map<std::size_t, int> firsts;  // which of the references stands first in the text
    double tokens = 0;
    for (int i = 0; i < n_samples; ++i) {
      const TaskSample s = task->sample(i);
      const std::string prompt = raw_prompt(s);
      prompts.insert(prompt);
      ids.insert(s.id);
      for (const auto& reference : s.references) answers.insert(reference);
      const int used = static_cast<int>(tokenizer.encode(prompt).size()) + s.max_new_tokens;
      if (used > length) CHECK(used <= length);
      tokens += used;
      for (const ByteSpan& span : s.evidence) {
        const double depth = static_cast<double>(span.begin) / static_cast<double>(s.context.size());
        ++tenths[static_cast<std::size_t>(std::min(9.0, depth * 10))];
      }
      std::size_t first = 0;
      for (std::size_t r = 1; r < s.references.size(); ++r) {
        if (s.context.find(s.references[r]) < s.context.find(s.references[first])) first = r;
      }
      ++firsts[first];
    }
    CHECK(prompts.size() == n_samples);
    CHECK(ids.size() == n_samples);
    // Seven digits, 26^5 names, uuids: hardly any value twice. Words are drawn from a list.
    if (name != "ruler/cwe") CHECK(answers.size() > static_cast<std::size_t>(0.99 * n_samples));
    CHECK(tokens / n_samples > length - 40);
    int needles = 0;
    for (const int n : tenths) needles += n;
    for (const int n : tenths) {
      // Five standard deviations around the mean; a chain's first lines lean to the front, its last to the back.
      if (needles > 0 && name != "ruler/vt")
        CHECK(std::abs(n - needles / 10.0) < 5 * std::sqrt(needles * 0.09) + needles * 0.05);
      if (needles > 0) CHECK(n > needles / 25);
    }
    const std::size_t n_references = task->sample(0).references.size();
    if (n_references == 4) {
      for (std::size_t r = 0; r < 4; ++r) CHECK(std::abs(firsts[r] - 250) < 70);
    }
    if (name == "ruler/vt") CHECK(firsts[0] == n_samples);
  }
}

TEST_CASE("vt, cwe and fwe: the same sample on every platform") {
  // Frozen: a change here changes stored results' meaning, and needs a new version of the task.
  const FakeTokenizer tokenizer;
  const std::map<std::string, std::string> frozen = {
      {"ruler/vt", "e35826059a6a"}, {"ruler/cwe", "b3314c40b725"}, {"ruler/fwe", "bd2bfb7bde8f"}};
  for (const auto& [name, hash] : frozen) {
    const auto task = fake_task(name, yaml_map({{"length", 4096}}), tokenizer);
    CHECK(name + " " + sha256(raw_prompt(task->sample(17))).substr(0, 12) == name + " " + hash);
  }
}
