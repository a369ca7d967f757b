#include <algorithm>
#include <cstdlib>
#include <map>

#include "catch.h"
#include "core/error.h"
#include "datasets/longbench/rows.h"
#include "datasets/longbench/subsets.h"
#include "datasets/truncate.h"
#include "eval/metric.h"
#include "fakes.h"
#include "paths.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

const std::string prompts =
    R"({"hotpotqa": "Read.\n{context}\n\nQuestion: {input}\nAnswer:", "trec": "Kinds.\n{context}\n{input}",)"
    R"( "gov_report": "Report:\n{context}\n\nSummary:", "f": "no field", "g": "{context} {length}"})";

std::string row(const std::string& id, const std::string& context, int length, const std::string& more = "") {
  return R"({"input": "who?", "context": ")" + context + R"(", "answers": ["Ada", "A. L."], "length": )" +
         std::to_string(length) + R"(, "dataset": "hotpotqa", "language": "en", "all_classes": null, "_id": ")" + id +
         "\"" + more + "}\n";
}

std::unique_ptr<Task> open_task(const std::string& name, const TempFolder& folder, Value params = {}, int window = 0) {
  static const FakeTokenizer tokenizer;
  static const FakeChat chat = turn_chat();
  static const auto chunker = make_chunker("fixed");
  TaskContext context;
  context.prompt_tokens = [](const TaskSample& s) {
    return count_prompt_tokens(s, {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()});
  };
  context.token_spans = [](std::string_view text) {
    std::vector<ByteSpan> out;
    for (const Token& token : tokenizer.encode(text)) out.push_back({token.begin, token.end});
    return out;
  };
  context.window = window;
  params.set("folder", folder.path.string());
  return make_task(name, params, context);
}

std::string error_of(const std::string& name, const TempFolder& folder, const Value& params = {}) {
  try {
    open_task(name, folder, params);
  } catch (const Error& error) {
    return folder.relative(error.what());
  }
  return "no error";
}

std::vector<ByteSpan> letter_tokens(const TaskSample& s) {
  std::vector<ByteSpan> out;
  for (std::size_t i = 0; i < (s.prefix + s.context + s.query).size(); ++i) out.push_back({i, i + 1});
  return out;
}

}  // namespace

TEST_CASE("LongBench has 21 subsets and LongBench-E 13 of them, with the benchmark's metrics and lengths") {
  CHECK(expand_task_group("longbench/all", {}).size() == 21);
  CHECK(expand_task_group("longbench/e", {}).size() == 13);
  CHECK(expand_task_group("longbench/qa", {}).size() == 8);
  CHECK(expand_task_group("longbench/zh", {}).size() == 5);
  CHECK(expand_task_group("longbench/few_shot", {}) ==
        std::vector<std::string>{"longbench/lsht", "longbench/samsum", "longbench/trec", "longbench/triviaqa"});
  int raw = 0, first_line = 0;
  for (const auto& subset : longbench_subsets()) {
    CHECK_NOTHROW(find_metric(subset.metric));
    raw += subset.has(longbench::raw) ? 1 : 0;
    first_line += subset.has(longbench::first_line) ? 1 : 0;
  }
  CHECK(raw == 6);
  CHECK(first_line == 4);
}

TEST_CASE("longbench: a row becomes a prompt by the benchmark's template") {
  const TempFolder folder;
  folder.write("dataset2prompt.json", prompts);
  folder.write("hotpotqa.jsonl",
               row("a", R"(Passage 1:\nAda.\n\nPassage 2:\nB.)", 100) + row("b", "None {input}.", 200));
  const auto task = open_task("longbench/hotpotqa", folder);
  REQUIRE(task->size() == 2);
  TaskSample s = task->sample(0);
  CHECK(raw_prompt(s) == "Read.\nPassage 1:\nAda.\n\nPassage 2:\nB.\n\nQuestion: who?\nAnswer:");
  CHECK(s.prefix == "Read.\n");
  CHECK(s.query.substr(s.question.begin, s.question.end - s.question.begin) == "who?");
  CHECK(s.passages == std::vector<std::size_t>{0, 17});
  CHECK(s.references == std::vector<std::string>{"Ada", "A. L."});
  CHECK(s.metric == "f1");
  CHECK(s.max_new_tokens == 32);
  CHECK(s.id == "a");
  CHECK(s.stop.empty());
  CHECK_FALSE(s.raw);
  CHECK(raw_prompt(task->sample(1)) == "Read.\nNone {input}.\n\nQuestion: who?\nAnswer:");
  CHECK(task->data_identity().starts_with("hotpotqa.jsonl sha256:"));
  CHECK(open_task("longbench/hotpotqa", folder, yaml_map({{"metric", "substring"}}))->sample(0).metric == "substring");
  // Examples to continue: no chat format, the first line counts.
  std::string trec = row("t", "Type: Date", 9);
  trec.replace(trec.find("hotpotqa"), 8, "trec").replace(trec.find("null"), 4, R"(["Date", "Human"])");
  folder.write("trec.jsonl", trec);
  s = open_task("longbench/trec", folder)->sample(0);
  CHECK(s.raw);
  CHECK(s.stop == std::vector<std::string>{"\n"});
  CHECK(s.all_classes == std::vector<std::string>{"Date", "Human"});
  const FakeTokenizer tokenizer;
  const FakeChat chat = turn_chat();
  const auto chunker = make_chunker("fixed");
  CHECK(build_prompt(s, {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()}).request.text ==
        "Kinds.\nType: Date\nwho?");
}

TEST_CASE("longbench: LongBench-E is cut by length") {
  const TempFolder folder;
  folder.write("dataset2prompt.json", prompts);
  folder.write("hotpotqa_e.jsonl",
               row("a", "x", 3999) + row("b", "x", 4000) + row("c", "x", 7999) + row("d", "x", 8000));
  const std::map<std::string, std::string> bins = {{"all", "abcd"}, {"0-4k", "a"}, {"4-8k", "bc"}, {"8k+", "d"}};
  for (const auto& [bin, expected] : bins) {
    const auto task = open_task("longbench/hotpotqa_e", folder, yaml_map({{"bin", bin}}));
    std::string ids;
    for (int i = 0; i < task->size(); ++i) ids += task->sample(i).id;
    CHECK(ids == expected);
  }
  folder.write("hotpotqa_e.jsonl", row("a", "x", 10));
  CHECK(error_of("longbench/hotpotqa_e", folder, yaml_map({{"bin", "8k+"}})) ==
        "longbench/hotpotqa_e: none of hotpotqa_e.jsonl's 1 samples has a length of 8k+");
}

TEST_CASE("longbench: what is too long loses its middle, and fits with its chat format and answer") {
  const TempFolder folder;
  folder.write("dataset2prompt.json", prompts);
  std::string context;
  for (int i = 0; i < 400; ++i) context += "w" + std::to_string(i) + (i % 40 == 39 ? R"(\n)" : " ");
  folder.write("hotpotqa.jsonl", row("a", context, 400));
  const FakeTokenizer tokenizer;
  const FakeChat chat = turn_chat();
  const auto chunker = make_chunker("fixed");
  const PromptOptions options{.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()};
  const auto in_window = open_task("longbench/hotpotqa", folder, {}, 150)->sample(0);
  const int used = count_prompt_tokens(in_window, options) + in_window.max_new_tokens;
  CHECK(used <= 150);
  CHECK(used >= 147);
  CHECK(in_window.context.starts_with("w0 w1 "));
  CHECK(in_window.context.ends_with("w398 w399\n"));
  CHECK(in_window.query == "\n\nQuestion: who?\nAnswer:");
  CHECK(open_task("longbench/hotpotqa", folder, {}, 100000)->sample(0).context.size() > 1800);
  const auto limited = open_task("longbench/hotpotqa", folder, yaml_map({{"max_prompt", 60}}), 150);
  const auto tokens = tokenizer.encode(raw_prompt(limited->sample(0)));
  CHECK(std::abs(static_cast<int>(tokens.size()) - 60) <= 1);
  CHECK(limited->data_identity().ends_with("at most 60 prompt tokens"));
  CHECK_THROWS_WITH(open_task("longbench/hotpotqa", folder, {}, 40)->sample(0),
                    "longbench/hotpotqa: the model's context of 40 tokens leaves no room beside the answer's 32");
}

TEST_CASE("truncation keeps the places of what is left") {
  TaskSample s;
  s.prefix = "ppp";
  s.context = "0123456789abcdefghij";
  s.query = "qqqq";
  s.passages = {0, 5, 8, 12, 16};
  s.evidence = {{1, 3}, {6, 9}, {2, 18}, {17, 19}};
  s.question = {1, 3};
  TaskSample fits = s;
  truncate_middle(fits, letter_tokens(s), 27);
  CHECK(fits.context == s.context);
  TaskSample cut = s;
  truncate_middle(cut, letter_tokens(s), 14);  // keeps ppp0123 and hijqqqq
  CHECK(cut.prefix + cut.context + cut.query == "ppp0123hijqqqq");
  CHECK(cut.passages == std::vector<std::size_t>{0, 4});  // the end of the last document stands alone
  REQUIRE(cut.evidence.size() == 3);
  CHECK(cut.context.substr(cut.evidence[0].begin, cut.evidence[0].end - cut.evidence[0].begin) == "12");
  CHECK(cut.context.substr(cut.evidence[1].begin, cut.evidence[1].end - cut.evidence[1].begin) == "23h");
  CHECK(cut.context.substr(cut.evidence[2].begin, cut.evidence[2].end - cut.evidence[2].begin) == "hi");
  TaskSample tiny = s;
  truncate_middle(tiny, letter_tokens(s), 4);  // even the query is cut
  CHECK(tiny.prefix + tiny.context + tiny.query == "ppqq");
  CHECK(tiny.question.end <= tiny.query.size());
  // A character of several tokens goes wholly.
  TaskSample wide;
  wide.context = "a\u4e2d\u6587b";
  truncate_middle(wide, letter_tokens(wide), 6);
  CHECK(wide.context == "ab");
}

TEST_CASE("documents begin at their labels") {
  CHECK(document_starts("Passage 1:\nx Passage 2:\nPassage 12:\ny") == std::vector<std::size_t>{0, 24});
  CHECK(document_starts("Paragraph 1: x\n\nParagraph 2: y") == std::vector<std::size_t>{0, 16});
  CHECK(document_starts("\u6bb5\u843d1\uFF1Ax\n\u6bb5\u843d2\uFF1Ay") == std::vector<std::size_t>{0, 12});
  CHECK(document_starts("\u6587\u7ae01\nx\n\u6587\u7ae02\n") == std::vector<std::size_t>{0, 10});
  CHECK(document_starts("Passage x:\nPassage 1").empty());
}

TEST_CASE("longbench: bad files are named by place, or skipped and counted") {
  const TempFolder folder;
  folder.write("dataset2prompt.json", prompts);
  const auto with = [&](const std::string& line) {
    folder.write("hotpotqa.jsonl", row("a", "x", 1) + line);
    return error_of("longbench/hotpotqa", folder);
  };
  CHECK(with("{\"input\": 1").starts_with("hotpotqa.jsonl:2:12: no valid JSON"));
  CHECK(with(R"({"input": "q", "context": "c", "length": 3})") == "hotpotqa.jsonl:2:1: no 'answers'");
  CHECK(with(R"({"input": "q", "context": "c", "answers": [], "length": 3})") ==
        "hotpotqa.jsonl:2:43: answers is empty: nothing could be scored");
  CHECK(with(R"({"input": "q", "context": "", "answers": ["a"], "length": 3})") ==
        "hotpotqa.jsonl:2:27: context is empty");
  CHECK(with(R"({"input": "q", "context": "c", "answers": ["a"], "length": 3, "dataset": "trec"})") ==
        "hotpotqa.jsonl:2:74: this line belongs to 'trec', not to 'hotpotqa'");
  CHECK(with(row("a", "y", 2)) == "hotpotqa.jsonl:2:1: _id 'a' occurs twice");
  CHECK(with("\xff\n") == "hotpotqa.jsonl:2:1: not UTF-8 (byte 0xFF); convert the file first");
  const auto task = open_task("longbench/hotpotqa", folder, yaml_map({{"on_error", "skip"}}));
  CHECK(task->size() == 1);
  REQUIRE(task->notes().size() == 1);
  CHECK(task->notes()[0].starts_with("hotpotqa.jsonl: 1 of 2 lines skipped; the first: "));
  folder.write("hotpotqa.jsonl", row("a", "x", 1));
  CHECK(error_of("longbench/hotpotqa", folder, yaml_map({{"samples", 2}})) ==
        "longbench/hotpotqa: samples is 2, but hotpotqa.jsonl has 1 (0: all)");
  CHECK(error_of("longbench/gov_report", folder).starts_with("gov_report.jsonl: no such file"));
  CHECK(error_of("longbench/qasper", folder).find("no prompt for 'qasper'") != std::string::npos);
  folder.write("dataset2prompt.json", R"({"hotpotqa": "no field"})");
  CHECK(error_of("longbench/hotpotqa", folder) == "dataset2prompt.json:1:14: no {context} in the prompt");
  folder.write("dataset2prompt.json", R"({"hotpotqa": "{context} {length}"})");
  CHECK(error_of("longbench/hotpotqa", folder).starts_with("dataset2prompt.json:1:14: a prompt holds {context} once"));
  setenv("KVMEND_DATASETS", folder.path.c_str(), 1);
  CHECK_THROWS_WITH(make_task("longbench/hotpotqa", {}, {}),
                    Catch::Contains("longbench/dataset2prompt.json is not there; 'kvmend fetch longbench' brings it"));
  unsetenv("KVMEND_DATASETS");
}
