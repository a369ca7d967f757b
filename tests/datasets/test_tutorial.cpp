#include "catch.h"
#include "core/file.h"
#include "eval/metric.h"
#include "fakes.h"
#include "paths.h"

using namespace kvmend;

TEST_CASE("the tutorial's task is the file that is compiled here, and works") {
  const std::string file = read_file(source_folder() + "/tests/datasets/tutorial_task.cpp");
  const std::string page = read_file(source_folder() + "/docs/task.md");
  const std::string fence = "```cpp\n";
  const auto begin = page.find(fence);
  REQUIRE(begin != std::string::npos);
  CHECK(page.substr(begin + fence.size(), page.find("```", begin + 3) - begin - fence.size()) == file);
  int lines = 0;
  for (std::size_t at = 0; at < file.size(); at = file.find('\n', at) + 1) lines += file[at] != '\n' ? 1 : 0;
  CHECK(lines < 40);

  const FakeTokenizer tokenizer;
  const auto task = fake_task("mine/boxes", yaml_map({{"boxes", 7}, {"samples", 50}}), tokenizer);
  CHECK(task->size() == 50);
  for (int i = 0; i < 50; ++i) {
    const TaskSample s = task->sample(i);
    const std::string line = s.context.substr(s.evidence[0].begin, s.evidence[0].end - s.evidence[0].begin);
    CHECK(line.starts_with("Box " + s.query.substr(24, s.query.find(" hold") - 24) + " holds "));
    CHECK(find_metric(s.metric).score(line, s.references, {}) == 1);
  }
  ParamErrors errors;
  check_task("mine/boxes", {}, yaml_map({{"boxs", 3}}), errors);
  CHECK(errors.messages.at(0).find("did you mean 'boxes'") != std::string::npos);
}
