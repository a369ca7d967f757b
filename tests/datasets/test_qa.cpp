#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "fakes.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

std::unique_ptr<Task> qa_task(const TempFolder& folder, Value params) {
  static const FakeTokenizer tokenizer;
  TaskContext context;
  context.folder = folder.path;
  params.set("file", "q.jsonl");
  return make_task("qa_custom", params, context);
}

std::string error_of(const TempFolder& folder, const Value& params = {}) {
  try {
    qa_task(folder, params);
  } catch (const Error& error) {
    return folder.relative(error.what());
  }
  return "no error";
}

/// n questions whose passages say "Fact i is value-i."; the gold passage is marked.
std::string numbered_questions(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) {
    const std::string k = std::to_string(i);
    out += R"({"id": "k)" + k + R"(", "question": "What is fact )" + k + R"(?", "answers": ["value)" + k +
           R"(-"], "passages": [{"title": "Title )" + k + R"(", "text": "Fact )" + k + R"( is value)" + k +
           R"(-.", "gold": true}]})" + "\n";
  }
  return out;
}

std::vector<std::string> passage_texts(const TaskSample& sample) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < sample.passages.size(); ++i) {
    const std::size_t end = i + 1 < sample.passages.size() ? sample.passages[i + 1] : sample.context.size();
    out.push_back(sample.context.substr(sample.passages[i], end - sample.passages[i]));
  }
  return out;
}

}  // namespace

TEST_CASE("qa_custom: gold at each depth, one cluster a question, the same distractors") {
  TempFolder folder;
  folder.write("q.jsonl", numbered_questions(30));
  const auto task =
      qa_task(folder, yaml_map({{"passages", 5}, {"gold_at", Value::List{0.0, 0.5, 1.0}}, {"samples", 60}}));
  REQUIRE(task->size() == 60);
  for (int i = 0; i < 60; ++i) {
    const TaskSample s = task->sample(i);
    const std::string k = std::to_string(i / 3);
    CHECK(s.cluster == "k" + k);
    CHECK(s.id == "k" + k + "-42-" + std::to_string(i % 3));
    CHECK(s.query.substr(s.question.begin, s.question.end - s.question.begin) == "What is fact " + k + "?");
    CHECK(s.references == std::vector<std::string>{"value" + k + "-"});
    const auto passages = passage_texts(s);
    REQUIRE(passages.size() == 5);
    REQUIRE(s.evidence.size() == 1);
    const std::string gold = "Title " + k + "\nFact " + k + " is value" + k + "-.";
    CHECK(s.context.substr(s.evidence[0].begin, s.evidence[0].end - s.evidence[0].begin) == gold);
    CHECK(passages[static_cast<std::size_t>(i % 3 * 2)].starts_with(gold));
    // Only the gold passage holds the answer, and moving it changes nothing else.
    std::multiset<std::string> set(passages.begin(), passages.end()), first;
    CHECK(std::count_if(passages.begin(), passages.end(),
                        [&](const auto& p) { return p.find("value" + k + "-") != std::string::npos; }) == 1);
  }
}

TEST_CASE("qa_custom: a question with more gold passages than passages is refused when the task is made") {
  TempFolder folder;
  folder.write("q.jsonl",
               R"({"id": "one", "question": "a?", "answers": ["b"], "passages": [{"text": "b", "gold": true}]})"
               "\n"
               R"({"id": "two", "question": "a?", "answers": ["b"], "passages": [{"text": "b", "gold": true},)"
               R"( {"text": "c", "gold": true}]})"
               "\n");
  CHECK(error_of(folder, yaml_map({{"passages", 1}})) ==
        "qa_custom: passages is 1, but question 'two' of q.jsonl has 2 gold passages");
  CHECK(qa_task(folder, yaml_map({{"passages", 1}, {"samples", 1}}))->size() == 1);  // the second is not asked
}

TEST_CASE("qa_custom: without depths gold passages stand anywhere") {
  TempFolder folder;
  folder.write("q.jsonl", numbered_questions(200));
  const auto task = qa_task(folder, yaml_map({{"passages", 4}}));
  REQUIRE(task->size() == 200);
  std::vector<int> places(4, 0);
  for (int i = 0; i < 200; ++i) {
    const TaskSample s = task->sample(i);
    for (std::size_t p = 0; p < 4; ++p) places[p] += s.evidence[0].begin == s.passages[p] ? 1 : 0;
  }
  for (const int n : places) CHECK(n > 25);
}

TEST_CASE("qa_custom: the prompt is RULER's; its parts are parameters") {
  TempFolder folder;
  folder.write("q.jsonl", numbered_questions(3));
  TaskSample s = qa_task(folder, yaml_map({{"passages", 1}}))->sample(1);
  CHECK(
      raw_prompt(s) ==
      "Answer the question based on the given documents. Only give me the answer and do not output any other words.\n\n"
      "The following are given documents.\n\nTitle 1\nFact 1 is value1-.\n\n"
      "Answer the question based on the given documents. Only give me the answer and do not output any other words.\n\n"
      "Question: What is fact 1? Answer:");
  s = qa_task(folder, yaml_map({{"passages", 2},
                                {"numbered", true},
                                {"instruction", ""},
                                {"metric", "f1"},
                                {"stop", Value::List{"\n"}},
                                {"gold_at", Value::List{1.0}}}))
          ->sample(0);
  CHECK(s.prefix.empty());
  CHECK(s.context.starts_with("Document 1:\nTitle "));
  CHECK(s.context.find("\n\nDocument 2:\nTitle 0\n") != std::string::npos);
  CHECK(s.metric == "f1");
  CHECK(s.stop == std::vector<std::string>{"\n"});
}

TEST_CASE("qa_custom: gold is what is marked, else what holds an answer; the rest are its own distractors") {
  TempFolder folder;
  folder.write(
      "q.jsonl",
      R"({"question": "a?", "answers": ["Red  Fox"], "passages": [{"text": "nothing"}, {"text": "the red fox ran"}]})"
      "\n"
      R"({"question": "b?", "answers": ["yes"], "passages": [{"text": "two", "gold": true}, {"text": "three"}]})"
      "\n");
  const auto task = qa_task(folder, yaml_map({{"passages", 0}}));
  const TaskSample a = task->sample(0), b = task->sample(1);
  CHECK(a.id == "q1-42-0");
  CHECK(a.passages.size() == 2);
  REQUIRE(a.evidence.size() == 1);
  CHECK(a.context.substr(a.evidence[0].begin, a.evidence[0].end - a.evidence[0].begin) == "the red fox ran");
  CHECK(b.evidence.size() == 1);
  REQUIRE(task->notes().size() == 1);
  CHECK(task->notes()[0] == "q.jsonl: 1 of 2 questions have their answer in none of their passages (kept)");
  const auto dropped = qa_task(folder, yaml_map({{"passages", 0}, {"unanswerable", "drop"}}));
  CHECK(dropped->size() == 1);
  CHECK(dropped->notes()[0].ends_with("(left out)"));
}

TEST_CASE("qa_custom: bad lines are named by file, line and column, or skipped and counted") {
  TempFolder folder;
  const std::string good = numbered_questions(3);
  const auto with = [&](const std::string& line) {
    folder.write("q.jsonl", good + line + "\n");
    return error_of(folder);
  };
  CHECK(with(R"({"question": "x?", "answers": ["y"])") ==
        "q.jsonl:4:36: no valid JSON: syntax error while parsing object - unexpected end of input; expected '}'");
  CHECK(with(R"({"question": "x?", "answer": ["y"], "passages": []})") ==
        "q.jsonl:4:1: no 'answers' (a list of accepted answers); is 'answer' meant?");
  CHECK(with(R"({"question": "x?", "answers": [], "passages": []})") ==
        "q.jsonl:4:31: answers is empty: nothing could be scored");
  CHECK(with(R"({"question": 7, "answers": ["y"], "passages": []})") ==
        "q.jsonl:4:14: expected a string, found an integer (7)");
  CHECK(with(R"({"question": "x?", "answers": ["y"], "passages": [{"title": "t"}]})") ==
        "q.jsonl:4:51: no 'text' (a passage's text)");
  CHECK(with(R"({"question": "x?", "answers": ["y"], "passages": ["t"]})") ==
        "q.jsonl:4:51: a passage is a map {title, text, gold}, found a string");
  CHECK(with(R"({"question": " ", "answers": ["y"], "passages": []})") == "q.jsonl:4:14: question is empty");
  CHECK(with(R"({"id": "k1", "question": "x?", "answers": ["y"], "passages": [{"text": "t"}]})") ==
        "q.jsonl:4:1: id 'k1' occurs twice");
  CHECK(with("[1, 2]") == "q.jsonl:4:1: a line is a map {question, answers, passages}, found a list");
  CHECK(with("{\"question\": \"\xff\"}") == "q.jsonl:4:15: not UTF-8 (byte 0xFF); convert the file first");
  folder.write("q.jsonl", good + "nonsense\n\n" + numbered_questions(1).replace(8, 2, "zz"));
  const auto task = qa_task(folder, yaml_map({{"on_error", "skip"}, {"passages", 2}}));
  CHECK(task->size() == 4);
  REQUIRE(task->notes().size() == 1);
  CHECK(task->notes()[0].find("q.jsonl: 1 of 5 lines skipped; the first: ") == 0);
  CHECK(task->notes()[0].find("q.jsonl:4:2: no valid JSON") != std::string::npos);
}

TEST_CASE("qa_custom: what a file cannot give is said") {
  TempFolder folder;
  folder.write("q.jsonl", numbered_questions(3));
  CHECK(error_of(folder, yaml_map({{"samples", 4}})) ==
        "qa_custom: samples is 4, but q.jsonl has 3 questions and gold_at 1 depths: 3 (0: all)");
  const auto task = qa_task(folder, yaml_map({{"passages", 4}}));
  CHECK_THROWS_WITH(task->sample(0), Catch::Contains("needs 4 passages, but q.jsonl has only 3"));
  folder.write("q.jsonl", "\n\n");
  CHECK(error_of(folder) == "q.jsonl: no question in it");
  std::filesystem::remove(folder.path / "q.jsonl");
  CHECK(error_of(folder).find("q.jsonl: no such file (tried ") == 0);
  ParamErrors errors;
  check_task("qa_custom", {}, yaml_map({{"gold_at", Value::List{0.5, 1.5}}, {"metric", "f2"}}), errors);
  REQUIRE(errors.messages.size() == 2);
  CHECK(errors.messages[0] == "gold_at holds 1.5, must be between 0 and 1");
  CHECK(errors.messages[1] == "unknown metric 'f2'; did you mean 'f1'?");
}
