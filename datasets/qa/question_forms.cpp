// One question, in each of the forms that files have.
#include <algorithm>
#include <initializer_list>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/suggest.h"
#include "datasets/qa/questions.h"

namespace kvmend {
namespace {

/// The first of `names` that is there and not null.
const Value* find_any(const Value& map, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const Value* value = map.find(name); value && !value->is_null()) return value;
  }
  return nullptr;
}

[[noreturn]] void fail_missing(const Value& map, const char* name, const char* form) {
  std::vector<std::string> keys;
  for (const auto& entry : map.as_map()) keys.push_back(entry.key);
  const std::string near = nearest_name(name, keys);
  fail(ErrorKind::data, "{}no '{}' ({}){}", map.where.prefix(), name, form,
       near.empty() ? "" : fmt::format("; is '{}' meant?", near));
}

/// The first of `names`; a missing one is reported by the first name.
const Value& field(const Value& map, std::initializer_list<const char*> names, const char* form) {
  const Value* value = find_any(map, names);
  if (!value) fail_missing(map, *names.begin(), form);
  return *value;
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

/// {text, title, gold}, by whichever names.
MarkedPassage read_passage_map(const Value& value) {
  MarkedPassage out;
  out.passage.text = filled(field(value, {"text", "paragraph_text"}, "a passage's text"), "a passage's text");
  if (const Value* title = find_any(value, {"title"})) out.passage.title = title->as_string();
  if (const Value* gold = find_any(value, {"gold", "is_supporting", "isgold"})) out.gold = gold->as_bool();
  return out;
}

/// [title, [sentences]]; sentences bring their own spaces.
MarkedPassage read_passage_pair(const Value& value, const std::set<std::string>& supporting) {
  const auto& pair = value.as_list();
  if (pair.size() != 2) fail(ErrorKind::data, "{}a passage is [title, [sentences]]", value.where.prefix());
  MarkedPassage out;
  out.passage.title = pair[0].as_string();
  for (const Value& sentence : pair[1].as_list()) out.passage.text += sentence.as_string();
  if (out.passage.text.empty()) fail(ErrorKind::data, "{}a passage's text is empty", pair[1].where.prefix());
  out.gold = supporting.contains(out.passage.title);
  return out;
}

MarkedPassage read_passage(const Value& value, const std::set<std::string>& supporting) {
  if (value.is_map()) return read_passage_map(value);
  if (value.is_list()) return read_passage_pair(value, supporting);
  fail(ErrorKind::data, "{}a passage is a map {{title, text, gold}}, found {}", value.where.prefix(),
       value.type_name());
}

std::set<std::string> supporting_titles(const Value& line) {
  std::set<std::string> out;
  if (const Value* facts = find_any(line, {"supporting_facts"}); facts && facts->is_list()) {
    for (const Value& fact : facts->as_list()) {
      if (!fact.as_list().empty()) out.insert(fact.as_list().front().as_string());
    }
  }
  return out;
}

std::string read_id(const Value& line) {
  const Value* id = find_any(line, {"id", "_id"});
  if (!id) return fmt::format("q{}", line.where.line);
  return id->is_int() ? std::to_string(id->as_int()) : filled(*id, "id");
}

std::vector<std::string> read_answers(const Value& line) {
  std::vector<std::string> out;
  const Value* one = line.find("answer");
  if (!line.find("answers") && one && one->is_string()) {
    out.push_back(filled(*one, "answer"));
    if (const Value* aliases = find_any(line, {"answer_aliases"})) {
      for (const Value& alias : aliases->as_list()) out.push_back(filled(alias, "an answer"));
    }
    return out;
  }
  const Value& answers = field(line, {"answers"}, "a list of accepted answers");
  for (const Value& answer : answers.as_list()) out.push_back(filled(answer, "an answer"));
  if (out.empty()) fail(ErrorKind::data, "{}answers is empty: nothing could be scored", answers.where.prefix());
  return out;
}

}  // namespace

void read_question(const Value& line, QuestionFile& file) {
  if (!line.is_map()) {
    fail(ErrorKind::data, "{}a line is a map {{question, answers, passages}}, found {}", line.where.prefix(),
         line.type_name());
  }
  if (const Value* answerable = find_any(line, {"answerable"}); answerable && !answerable->as_bool()) {
    ++file.unanswerable;
    return;
  }
  Question out;
  out.id = read_id(line);
  out.question = filled(field(line, {"question"}, "the question's text"), "question");
  out.answers = read_answers(line);
  const std::set<std::string> supporting = supporting_titles(line);
  std::vector<MarkedPassage> passages;
  const Value& list = field(line, {"passages", "paragraphs", "ctxs", "context"}, "a list of {title, text, gold}");
  for (const Value& passage : list.as_list()) passages.push_back(read_passage(passage, supporting));
  if (!std::any_of(passages.begin(), passages.end(), [](const auto& p) { return p.gold; })) {
    for (auto& p : passages) p.gold = contains_answer(fold_text(p.passage.text), out.answers);
  }
  // Nothing is kept of a question that turns out to be wrong.
  std::stable_partition(passages.begin(), passages.end(), [](const auto& p) { return p.gold; });
  const int first = static_cast<int>(file.passages.size());
  for (std::size_t i = 0; i < passages.size(); ++i) {
    (passages[i].gold ? out.gold : out.others).push_back(first + static_cast<int>(i));
  }
  for (auto& p : passages) add_passage(file, std::move(p.passage));
  try {
    add_question(file, std::move(out), line.where);
  } catch (const Error&) {
    file.passages.resize(static_cast<std::size_t>(first));
    throw;
  }
}

void read_squad_question(const Value& question, const std::vector<int>& article, int paragraph, QuestionFile& file) {
  if (const Value* impossible = find_any(question, {"is_impossible"}); impossible && impossible->as_bool()) {
    ++file.unanswerable;
    return;
  }
  Question out;
  out.id = read_id(question);
  out.question = filled(field(question, {"question"}, "the question's text"), "question");
  const Value& answers = field(question, {"answers"}, "a list of {text}");
  for (const Value& answer : answers.as_list()) {
    const std::string& text = filled(field(answer, {"text"}, "an answer's text"), "an answer");
    if (std::find(out.answers.begin(), out.answers.end(), text) == out.answers.end()) out.answers.push_back(text);
  }
  if (out.answers.empty()) fail(ErrorKind::data, "{}answers is empty: nothing could be scored", answers.where.prefix());
  out.gold = {paragraph};
  for (const int other : article) {
    if (other != paragraph) out.others.push_back(other);
  }
  add_question(file, std::move(out), question.where);
}

}  // namespace kvmend
