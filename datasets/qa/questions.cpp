#include "datasets/qa/questions.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/suggest.h"
#include "eval/text.h"

namespace kvmend {
namespace {

const Value& field(const Value& map, const char* name, const char* form) {
  const Value* value = map.find(name);
  if (value) return *value;
  std::vector<std::string> keys;
  for (const auto& entry : map.as_map()) keys.push_back(entry.key);
  const std::string near = nearest_name(name, keys);
  fail(ErrorKind::data, "{}no '{}' ({}){}", map.where.prefix(), name, form,
       near.empty() ? "" : fmt::format("; is '{}' meant?", near));
}

const std::string& filled(const Value& value, const char* what) {
  const std::string& text = value.as_string();
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    fail(ErrorKind::data, "{}{} is empty", value.where.prefix(), what);
  }
  return text;
}

struct MarkedPassage {
  Passage passage;
  bool gold = false;
};

MarkedPassage read_passage(const Value& value) {
  if (!value.is_map()) {
    fail(ErrorKind::data, "{}a passage is a map {{title, text, gold}}, found {}", value.where.prefix(),
         value.type_name());
  }
  MarkedPassage out;
  out.passage.text = filled(field(value, "text", "a passage's text"), "a passage's text");
  if (const Value* title = value.find("title"); title && !title->is_null()) out.passage.title = title->as_string();
  if (const Value* gold = value.find("gold"); gold && !gold->is_null()) out.gold = gold->as_bool();
  return out;
}

std::string read_id(const Value& line) {
  const Value* id = line.find("id");
  if (!id || id->is_null()) return fmt::format("q{}", line.where.line);
  return id->is_int() ? std::to_string(id->as_int()) : filled(*id, "id");
}

Question read_question(const Value& line) {
  if (!line.is_map()) {
    fail(ErrorKind::data, "{}a line is a map {{question, answers, passages}}, found {}", line.where.prefix(),
         line.type_name());
  }
  Question out;
  out.id = read_id(line);
  out.question = filled(field(line, "question", "the question's text"), "question");
  const Value& answers = field(line, "answers", "a list of accepted answers");
  for (const Value& answer : answers.as_list()) out.answers.push_back(filled(answer, "an answer"));
  if (out.answers.empty()) fail(ErrorKind::data, "{}answers is empty: nothing could be scored", answers.where.prefix());
  std::vector<MarkedPassage> passages;
  for (const Value& passage : field(line, "passages", "a list of {title, text, gold}").as_list()) {
    passages.push_back(read_passage(passage));
  }
  const bool marked = std::any_of(passages.begin(), passages.end(), [](const auto& p) { return p.gold; });
  for (auto& [passage, gold] : passages) {
    const bool holds = contains_answer(fold_text(passage.text), out.answers);
    out.answerable = out.answerable || holds;
    (marked ? gold : holds) ? out.gold.push_back(std::move(passage)) : out.others.push_back(std::move(passage));
  }
  return out;
}

}  // namespace

std::string fold_text(std::string_view text) { return collapse_spaces(lower_case(text)); }

bool contains_answer(const std::string& folded, const std::vector<std::string>& answers) {
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return folded.find(fold_text(answer)) != std::string::npos; });
}

QuestionFile read_questions(const std::filesystem::path& path, OnError on_error) {
  QuestionFile out;
  out.name = path.filename().string();
  std::set<std::string> ids;
  out.report = read_jsonl(path, on_error, [&](const Value& line) {
    Question question = read_question(line);
    if (!ids.insert(question.id).second) {
      fail(ErrorKind::data, "{}id '{}' occurs twice", line.where.prefix(), question.id);
    }
    out.questions.push_back(std::move(question));
  });
  if (out.questions.empty()) {
    fail(ErrorKind::data, "{}: no question in it{}", path.string(),
         out.report.skipped.empty() ? ""
                                    : fmt::format(" ({} lines skipped; the first: {})", out.report.skipped.size(),
                                                  out.report.skipped.front()));
  }
  return out;
}

}  // namespace kvmend
