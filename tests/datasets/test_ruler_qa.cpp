#include <algorithm>
#include <cstdlib>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "datasets/qa/questions.h"
#include "eval/metric.h"
#include "fakes.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

/// SQuAD's form: articles of three paragraphs, two questions a paragraph, the second of them impossible.
std::string squad(int articles) {
  std::string out = R"({"version": "v2.0", "data": [)";
  for (int a = 0; a < articles; ++a) {
    out += std::string(a > 0 ? "," : "") + R"({"title": "T", "paragraphs": [)";
    for (int p = 0; p < 3; ++p) {
      const std::string k = std::to_string(a) + "-" + std::to_string(p);
      out += std::string(p > 0 ? ",\n" : "") + R"({"qas": [{"question": "Where is )" + k + R"(?", "id": "s)" + k +
             R"(", "answers": [{"text": "town )" + k + R"(", "answer_start": 9}, {"text": "town )" + k +
             R"("}], "is_impossible": false}, {"question": "x?", "id": "i)" + k +
             R"(", "answers": [], "is_impossible": true}], "context": "Thing )" + k + " stands in town " + k +
             " and has done so for many years, as everyone there will tell you.\"}";
    }
    out += "]}";
  }
  return out + "]}";
}

/// HotpotQA's form: two supporting paragraphs among four, one yes/no question.
std::string hotpot() {
  std::string out = "[";
  for (int q = 0; q < 12; ++q) {
    const std::string k = std::to_string(q);
    out += std::string(q > 0 ? "," : "") + R"({"_id": "h)" + k + R"(", "question": "Who made the thing of A)" + k +
           R"(?", "answer": ")" + (q == 5 ? std::string("yes") : "maker " + k) + R"(", "supporting_facts": [["A)" + k +
           R"(", 0], ["B)" + k + R"(", 1]], "context": [["X)" + k + R"(", ["Nothing ", "here."]], ["B)" + k +
           R"(", ["B is old.", " It was made by maker )" + k + R"(."]], ["A)" + k + R"(", ["A has B."]], ["Y)" + k +
           R"(", ["Nor here."]]], "type": "bridge"})";
  }
  return out + "]\n";
}

std::unique_ptr<Task> qa(const char* name, const TempFolder& folder, Value params) {
  static const FakeTokenizer tokenizer;
  params.set("file", (folder.path / "q.json").string());
  return fake_task(name, params, tokenizer);
}

std::string part(const TaskSample& s, std::size_t i) {
  const std::size_t end = i + 1 < s.passages.size() ? s.passages[i + 1] : s.context.size();
  return s.context.substr(s.passages[i], end - s.passages[i]);
}

std::string error_of(const TempFolder& folder) {
  try {
    read_questions(folder.path / "q.json", OnError::error);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return folder.relative(error.what());
  }
  return "no error";
}

}  // namespace

TEST_CASE("qa_1: SQuAD's questions, gold first, then its article's paragraphs, then any") {
  const TempFolder folder;
  folder.write("q.json", squad(40));
  const auto task = qa("ruler/qa_1", folder, yaml_map({{"length", 900}, {"samples", 0}}));
  REQUIRE(task->size() == 120);
  std::vector<int> places(5, 0);
  for (int i = 0; i < task->size(); ++i) {
    const TaskSample s = task->sample(i);
    const std::string k = std::to_string(i / 3) + "-" + std::to_string(i % 3);
    CHECK(s.id == "qa_1-42-s" + k);
    CHECK(s.references == std::vector<std::string>{"town " + k});
    REQUIRE(s.evidence.size() == 1);
    const std::string gold = s.context.substr(s.evidence[0].begin, s.evidence[0].end - s.evidence[0].begin);
    CHECK(gold.find("Thing " + k + " stands in town " + k) != std::string::npos);
    CHECK(find_metric(s.metric).score(gold, s.references, {}) == 1);
    std::set<std::string> texts;
    int own = 0;
    for (std::size_t p = 0; p < s.passages.size(); ++p) {
      const std::string text = part(s, p), head = "Document " + std::to_string(p + 1) + ":\n";
      CHECK(text.starts_with(head));
      texts.insert(text.substr(head.size(), text.find('.') - head.size()));
      own += text.find("Thing " + std::to_string(i / 3) + "-") != std::string::npos ? 1 : 0;
      if (s.passages[p] == s.evidence[0].begin) ++places[p * 5 / s.passages.size()];
    }
    CHECK(texts.size() == s.passages.size());
    CHECK(own == 3);
    CHECK(s.passages.size() > 10);
  }
  for (const int n : places) CHECK(n > 8);  // 24 expected
}

TEST_CASE("qa_2: HotpotQA's questions bring their own distractors") {
  const TempFolder folder;
  folder.write("q.json", hotpot());
  const auto task = qa("ruler/qa_2", folder, yaml_map({{"length", 400}, {"samples", 12}}));
  for (int i = 0; i < 12; ++i) {
    const TaskSample s = task->sample(i);
    const std::string k = std::to_string(i);
    CHECK(s.cluster == "h" + k);
    CHECK(s.evidence.size() == 2);
    for (const char* title : {"A", "B", "X", "Y"}) CHECK(s.context.find(title + k + "\n") != std::string::npos);
    CHECK((i == 5 || s.context.find("B" + k + "\nB is old. It was made by maker " + k + ".") != std::string::npos));
  }
  const TaskSample s = task->sample(1);
  CHECK(s.prefix + s.query + s.answer_prefix ==
        "Answer the question based on the given documents. Only give me the answer and do not output any other words."
        "\n\nThe following are given documents.\n\n\n\n"
        "Answer the question based on the given documents. Only give me the answer and do not output any other words."
        "\n\nQuestion: Who made the thing of A1? Answer:");
  CHECK(s.metric == "string_match_part");
  CHECK(s.max_new_tokens == 32);
  // A file that is smaller than the length: all of it, once, and a note.
  const auto large = qa("ruler/qa_2", folder, yaml_map({{"length", 100000}, {"samples", 2}}));
  CHECK(large->sample(0).passages.size() == 48);
  REQUIRE(large->notes().size() == 1);
  CHECK(large->notes()[0] == "q.json: all its 48 documents are shorter than 100000 tokens");
}

TEST_CASE("qa_1: what is missing is said, and where it would come from") {
  const TempFolder folder;
  setenv("KVMEND_DATASETS", folder.path.c_str(), 1);
  const FakeTokenizer tokenizer;
  CHECK_THROWS_WITH(fake_task("ruler/qa_1", {}, tokenizer),
                    Catch::Contains("squad/dev-v2.0.json is not there; 'kvmend fetch squad' brings it"));
  CHECK_THROWS_WITH(fake_task("ruler/qa_2", {}, tokenizer), Catch::Contains("'kvmend fetch hotpotqa' brings it"));
  folder.write("squad/dev-v2.0.json", squad(20));
  CHECK(fake_task("ruler/qa_1", yaml_map({{"samples", 5}, {"length", 300}}), tokenizer)->size() == 5);
  unsetenv("KVMEND_DATASETS");
  folder.write("q.json", squad(1));
  CHECK_THROWS_WITH(qa("ruler/qa_1", folder, yaml_map({{"samples", 4}})),
                    "ruler/qa_1: samples is 4, but q.json has 3 questions (0: all)");
  CHECK_THROWS_WITH(qa("ruler/qa_1", folder, yaml_map({{"samples", 3}, {"length", 50}})),
                    Catch::Contains("length 50 is too short; the smallest that fits is "));
}

TEST_CASE("questions are read in every published form") {
  const TempFolder folder;
  folder.write("q.json", squad(2));
  QuestionFile file = read_questions(folder.path / "q.json", OnError::error);
  CHECK(file.questions.size() == 6);
  CHECK(file.unanswerable == 6);
  CHECK(file.passages.size() == 6);
  CHECK(file.questions[4].gold == std::vector<int>{4});
  CHECK(file.questions[4].others == std::vector<int>{3, 5});
  CHECK(file.questions[4].answerable);
  folder.write("q.json", hotpot());
  file = read_questions(folder.path / "q.json", OnError::error);
  CHECK(file.questions.size() == 12);
  CHECK(file.questions[0].gold.size() == 2);
  CHECK_FALSE(file.questions[5].answerable);
  CHECK(file.passages[0].title == "B0");
  // MuSiQue and "Lost in the Middle": lines with names of their own.
  folder.write(
      "q.json",
      R"({"id": "2hop__1", "paragraphs": [{"idx": 0, "title": "M", "paragraph_text": "one", "is_supporting": false}, )"
      R"({"idx": 1, "title": "N", "paragraph_text": "two", "is_supporting": true}], "question": "q?", )"
      R"("answer": "two", "answer_aliases": ["2", "zwei"], "answerable": true})"
      "\n"
      R"({"id": "2hop__2", "paragraphs": [], "question": "q?", "answer": "x", "answerable": false})"
      "\n"
      R"({"question": "who?", "answers": ["Ada"], "ctxs": [{"id": 7, "title": "L", "text": "Ada did", )"
      R"("isgold": true, "hasanswer": true, "score": null}, {"title": "K", "text": "no", "isgold": false}]})"
      "\n");
  file = read_questions(folder.path / "q.json", OnError::error);
  REQUIRE(file.questions.size() == 2);
  CHECK(file.unanswerable == 1);
  CHECK(file.questions[0].answers == std::vector<std::string>{"two", "2", "zwei"});
  CHECK(file.passages[static_cast<std::size_t>(file.questions[0].gold[0])].title == "N");
  CHECK(file.questions[1].id == "q3");
  CHECK(file.questions[1].gold.size() == 1);
}

TEST_CASE("questions in one JSON text: what is wrong is named by line and column, or skipped") {
  const TempFolder folder;
  folder.write("q.json", squad(1).replace(squad(1).find("stands in town"), 0, "\"x"));
  CHECK(error_of(folder).starts_with("q.json:1:"));
  folder.write("q.json",
               "[\n{\"_id\": \"a\", \"question\": \"q?\", \"answer\": \"y\", \"context\": [[\"t\", \"s\", 3]]}\n]");
  CHECK(error_of(folder) == "q.json:2:59: a passage is [title, [sentences]]");
  folder.write("q.json", "[\n{\"_id\": \"a\", \"question\": \"q?\", \"answer\": \"y\"}\n]");
  CHECK(error_of(folder) == "q.json:2:1: no 'passages' (a list of {title, text, gold})");
  folder.write(
      "q.json",
      R"({"data": [{"title": "T", "paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q?", "answers": []},)"
      "\n"
      R"({"id": "2", "question": "q?", "answers": [{"text": "c"}]}]}]}]})");
  CHECK(error_of(folder) == "q.json:1:107: answers is empty: nothing could be scored");
  const QuestionFile file = read_questions(folder.path / "q.json", OnError::skip);
  CHECK(file.questions.size() == 1);
  CHECK(file.report.lines == 2);
  CHECK(file.report.skipped.size() == 1);
  folder.write("q.json", "[]");
  CHECK(error_of(folder) == "q.json: no question in it");
  folder.write("q.json", "[\n\"\xff\"\n]");
  CHECK(error_of(folder).find("not UTF-8") != std::string::npos);
}
