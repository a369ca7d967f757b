#include <algorithm>
#include <map>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "eval/metric.h"
#include "fakes.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

/// Of the text around the needle, without white space: what is the same at every depth.
std::string beginning(const TaskSample& s) {
  std::string text = s.context;
  text.erase(s.evidence[0].begin, s.evidence[0].end - s.evidence[0].begin);
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text.substr(0, 300);
}

}  // namespace

TEST_CASE("niah/grid: the needle stands on its line behind a sentence, at every depth") {
  const FakeTokenizer tokenizer;
  for (const int length : {600, 3000}) {
    const auto task = fake_task("niah/grid", yaml_map({{"length", length}, {"depths", 21}, {"repeats", 2}}), tokenizer);
    REQUIRE(task->size() == 42);
    double before = -1;
    std::set<std::string> ids;
    for (int i = 0; i < 42; ++i) {
      const TaskSample s = task->sample(i);
      ids.insert(s.id);
      REQUIRE(s.evidence.size() == 1);
      const auto [begin, end] = std::pair{s.evidence[0].begin, s.evidence[0].end};
      CHECK(s.context.substr(begin, end - begin) ==
            "The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.");
      CHECK((begin == 0 || s.context[begin - 1] == '\n'));
      CHECK((end == s.context.size() || s.context[end] == '\n'));
      const std::string left = s.context.substr(0, begin);
      const int step = i % 21;
      if (step > 0 && step < 20) {
        CHECK((left.empty() || std::string(".!?\"").find(left[left.size() - 2]) != std::string::npos));
      }
      const double depth = 100.0 * static_cast<double>(begin) / static_cast<double>(s.context.size() - (end - begin));
      CHECK(depth <= 5.0 * step + 1);
      CHECK(depth > 5.0 * step - (length == 600 ? 20 : 6));
      CHECK((step == 0 || depth >= before));
      if (step == 0) CHECK(begin == 0);
      if (step == 20) CHECK(end == s.context.size());
      before = depth;
      const int used = static_cast<int>(tokenizer.encode(raw_prompt(s)).size()) + s.max_new_tokens;
      CHECK(used <= length);
      CHECK(used > length - 20);
      CHECK(find_metric(s.metric).score(s.context.substr(begin, end - begin), s.references, {}) == 1);
      CHECK(find_metric("rouge_l").score(s.references[0], s.references, {}) > 0.999);
    }
    CHECK(ids.size() == 42);
    // A repeat is another text; within one, only the needle moves.
    CHECK(beginning(task->sample(3)) == beginning(task->sample(17)));
    CHECK(beginning(task->sample(3)) != beginning(task->sample(24)));
  }
}

TEST_CASE("niah/grid: the depths of one text are one question for statistics") {
  const FakeTokenizer tokenizer;
  constexpr int depths = 5, repeats = 120;  // of 500 sentences to begin at: some repeats meet
  const auto task =
      fake_task("niah/grid", yaml_map({{"length", 600}, {"depths", depths}, {"repeats", repeats}}), tokenizer);
  std::map<std::string, std::string> text_of;  // by cluster
  std::set<std::string> ids, texts;
  for (int i = 0; i < depths * repeats; ++i) {
    const TaskSample s = task->sample(i);
    const auto [at, fresh] = text_of.emplace(s.cluster, beginning(s));
    CHECK(at->second == beginning(s));
    CHECK(s.cluster == task->sample(i - i % depths).cluster);
    ids.insert(s.id);
    texts.insert(beginning(s));
  }
  CHECK(ids.size() == depths * repeats);
  CHECK(text_of.size() == texts.size());  // one text, one cluster
  CHECK(texts.size() > 1);
  CHECK(texts.size() < repeats);
  const auto longer = fake_task("niah/grid", yaml_map({{"length", 700}}), tokenizer);
  CHECK_FALSE(text_of.contains(longer->sample(0).cluster));
}

TEST_CASE("niah/grid: needles of one's own, and what is refused") {
  const FakeTokenizer tokenizer;
  const Value params = yaml_map({{"needle", "The code is 7."}, {"question", "What is the code?"}, {"answer", "7"}});
  const TaskSample s = fake_task("niah/grid", params, tokenizer)->sample(5);
  CHECK(s.context.find("\nThe code is 7.\n") != std::string::npos);
  CHECK(s.query == "\n\nQuestion: What is the code?");
  CHECK(s.references == std::vector<std::string>{"7"});
  ParamErrors errors;
  check_task("niah/grid", {}, yaml_map({{"needle", ""}, {"samples", 99}, {"metric", "f2"}}), errors);
  REQUIRE(errors.messages.size() == 3);
  CHECK(errors.messages[0] == "needle is empty");
  CHECK(errors.messages[1] == "samples is 99, but 35 depths and 1 repeats make 35");
  CHECK_THROWS_WITH(fake_task("niah/grid", yaml_map({{"length", 60}}), tokenizer),
                    Catch::Contains("length 60 is too short; the smallest that fits is "));
}

TEST_CASE("stream: prompts in their order, as they are") {
  const FakeTokenizer tokenizer;
  const TempFolder folder;
  const auto open = [&](Value params = {}) {
    params.set("file", (folder.path / "s.jsonl").string());
    return fake_task("stream", params, tokenizer);
  };
  folder.write(
      "s.jsonl",
      "{\"prompt\": \"One\"}\n{\"id\": 7, \"prompt\": \"Two\", \"answers\": [\"2\"]}\n{\"prompt\": \"One\"}\n");
  const auto task = open();
  REQUIRE(task->size() == 3);
  CHECK(raw_prompt(task->sample(0)) == "One");
  CHECK(task->sample(0).id == "p1");
  CHECK(task->sample(1).id == "7");
  CHECK(task->sample(1).references == std::vector<std::string>{"2"});
  CHECK(open(yaml_map({{"samples", 2}}))->size() == 2);
  const auto error = [&](const std::string& text, const Value& params = {}) {
    folder.write("s.jsonl", text);
    try {
      open(params);
    } catch (const Error& e) {
      return folder.relative(e.what());
    }
    return std::string("no error");
  };
  CHECK(error("{\"promt\": \"x\"}") == "s.jsonl:1:1: no 'prompt'; is 'promt' meant?");
  CHECK(error("{\"prompt\": \"\"}") == "s.jsonl:1:12: prompt is empty");
  CHECK(error("\n") == "s.jsonl: no prompt in it");
  CHECK(error("{\"prompt\": \"x\"}", yaml_map({{"samples", 2}})) ==
        "stream: samples is 2, but s.jsonl has 1 prompts (0: all)");
  CHECK(error("[]\n{\"prompt\": \"x\"}", yaml_map({{"on_error", "skip"}})) == "no error");
  CHECK_THROWS_WITH(fake_task("stream", {}, tokenizer), "stream: 'file' is missing: JSON lines of {prompt}");
}
