#include <algorithm>

#include "catch.h"
#include "core/error.h"
#include "datasets/registry.h"
#include "fakes.h"

using namespace kvmend;

TEST_CASE("tasks are listed by name with their parameters") {
  const auto tasks = list_tasks();
  CHECK(std::is_sorted(tasks.begin(), tasks.end(), [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const auto& task : tasks) {
    INFO(task.name);
    CHECK_FALSE(task.summary.empty());
    CHECK_FALSE(task.source.empty());
    CHECK_FALSE(task.metric.empty());
    const auto has = [&](const char* name) {
      return std::any_of(task.params.begin(), task.params.end(), [&](const ParamInfo& p) { return p.name == name; });
    };
    CHECK(has("samples"));
    // Data that is taken in the order of its file needs no seed.
    const bool in_order = task.name.starts_with("longbench/") || task.name == "stream";
    CHECK(has("seed") != in_order);
    CHECK(has("max_new_tokens"));
  }
  const auto multikey =
      std::find_if(tasks.begin(), tasks.end(), [](const auto& t) { return t.name == "ruler/niah_multikey_3"; });
  REQUIRE(multikey != tasks.end());
  const auto key =
      std::find_if(multikey->params.begin(), multikey->params.end(), [](const auto& p) { return p.name == "key"; });
  CHECK(key->default_value == "uuid");
  CHECK(key->type == "one of word|number|uuid");
}

TEST_CASE("groups expand to their tasks") {
  CHECK(expand_task_group("ruler/niah", {}).size() == 8);
  CHECK(expand_task_group("ruler/niah_single", {}).size() == 3);
  CHECK(expand_task_group("ruler/niah_multikey", {}).size() == 3);
  const auto all = expand_task_group("ruler/all", {});
  CHECK(std::count(all.begin(), all.end(), "ruler/niah_single_2") == 1);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& name) { return name.starts_with("ruler/"); }));
  CHECK(expand_task_group("qa_custom", {}) == std::vector<std::string>{"qa_custom"});
  CHECK_THROWS_WITH(expand_task_group("ruler/nihh", {"c.yaml", 4, 5}),
                    "c.yaml:4:5: unknown task 'ruler/nihh'; did you mean 'ruler/niah'?");
}

TEST_CASE("unknown tasks are refused with the nearest name") {
  ParamErrors errors;
  check_task("qa_custm", {"c.yaml", 4, 5}, {}, errors);
  REQUIRE(errors.messages.size() == 1);
  CHECK(errors.messages[0] == "c.yaml:4:5: unknown task 'qa_custm'; did you mean 'qa_custom'?");
  CHECK_THROWS_WITH(make_task("qa_custm", {}, {}), "unknown task 'qa_custm'; did you mean 'qa_custom'?");
}

TEST_CASE("canonical parameters name every parameter and read back as themselves") {
  for (const auto& task : list_tasks()) {
    ParamErrors errors;
    const Value canonical = check_task(task.name, {}, {}, errors);
    CHECK(errors.messages.empty());
    CHECK(canonical.as_map().size() == task.params.size());
    CHECK(check_task(task.name, {}, canonical, errors).canonical() == canonical.canonical());
    CHECK(errors.messages.empty());
  }
}

TEST_CASE("make_task reports every wrong parameter") {
  CHECK_THROWS_WITH(make_task("ruler/niah_single_1", yaml_map({{"length", "x"}, {"sampels", 3}}), {}),
                    Catch::Contains("expected an integer") && Catch::Contains("did you mean 'samples'"));
}

namespace {

struct TwinParams {
  int samples = 1;
  template <class V>
  static void fields(TwinParams& p, V& v) {
    v("samples", p.samples, "samples");
  }
};
struct Twin final : Task {
  using Params = TwinParams;
  Twin(const std::string&, const TwinParams&, const TaskContext&) {}
  int size() const override { return 0; }
  TaskSample sample(int) const override { return {}; }
  std::string data_identity() const override { return ""; }
};

}  // namespace

TEST_CASE("a name that is registered twice is a defect") {
  CHECK_THROWS_WITH(register_task(task_entry<Twin>("qa_custom", {})), Catch::Contains("registered twice"));
}
