#include "datasets/qa/questions.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/json_value.h"
#include "eval/text.h"

namespace kvmend {
namespace {

/// Reads one item; one that cannot be read ends the reading or is noted.
template <class Read>
void read_item(QuestionFile& out, OnError on_error, Read read) {
  ++out.report.lines;
  try {
    read();
  } catch (const Error& error) {
    if (on_error == OnError::error) throw Error(ErrorKind::data, error.what());
    out.report.skipped.emplace_back(error.what());
  }
}

const Value& member(const Value& map, const char* name) {
  const Value* value = map.find(name);
  if (!value) fail(ErrorKind::data, "{}no '{}' where SQuAD's form has one", map.where.prefix(), name);
  return *value;
}

void read_squad(const Value& root, OnError on_error, QuestionFile& out) {
  std::map<std::string, int, std::less<>> known;  // some paragraphs stand in the file twice
  for (const Value& article : member(root, "data").as_list()) {
    const auto& paragraphs = member(article, "paragraphs").as_list();
    std::vector<int> own;
    for (const Value& paragraph : paragraphs) {
      const std::string& text = member(paragraph, "context").as_string();
      const auto [found, fresh] = known.try_emplace(text, static_cast<int>(out.passages.size()));
      if (fresh) add_passage(out, {"", text});
      own.push_back(found->second);
    }
    for (std::size_t p = 0; p < paragraphs.size(); ++p) {
      for (const Value& question : member(paragraphs[p], "qas").as_list()) {
        read_item(out, on_error, [&] { read_squad_question(question, own, own[p], out); });
      }
    }
  }
}

/// A file that is one JSON text: SQuAD's map, or a list of questions. False: it is lines.
bool read_whole(const std::string& bytes, const std::filesystem::path& path, OnError on_error, QuestionFile& out) {
  const std::size_t mark = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n", mark);
  if (begin == std::string::npos) return false;
  const bool list = bytes[begin] == '[';
  const bool squad = bytes[begin] == '{' &&
                     std::string_view(bytes).substr(begin, 400).find("\"paragraphs\"") != std::string::npos &&
                     std::string_view(bytes).substr(begin, 100).find("\"data\"") != std::string::npos;
  // Lines may be lists, too, if only to be refused: one text has its bracket open at the end of the first line.
  const std::string_view first = std::string_view(bytes).substr(begin, bytes.find('\n', begin) - begin);
  if (!squad && !(list && (first.size() + begin + 1 >= bytes.size() || first.back() != ']'))) return false;
  utf8::check(bytes, path.string());
  out.report.sha256 = sha256(bytes);
  const Value root = parse_json(std::string_view(bytes).substr(mark), path.string());
  if (squad) {
    read_squad(root, on_error, out);
  } else {
    for (const Value& item : root.as_list()) read_item(out, on_error, [&] { read_question(item, out); });
  }
  return true;
}

}  // namespace

std::string fold_text(std::string_view text) { return collapse_spaces(lower_case(text)); }

bool contains_answer(const std::string& folded, const std::vector<std::string>& answers) {
  return std::any_of(answers.begin(), answers.end(),
                     [&](const std::string& answer) { return folded.find(fold_text(answer)) != std::string::npos; });
}

int add_passage(QuestionFile& file, Passage passage) {
  file.passages.push_back(std::move(passage));
  return static_cast<int>(file.passages.size()) - 1;
}

void add_question(QuestionFile& file, Question question, const Location& where) {
  if (!file.ids.insert(question.id).second) {
    fail(ErrorKind::data, "{}id '{}' occurs twice", where.prefix(), question.id);
  }
  const auto holds = [&](int passage) {
    return contains_answer(fold_text(file.passages[static_cast<std::size_t>(passage)].text), question.answers);
  };
  question.answerable = std::any_of(question.gold.begin(), question.gold.end(), holds) ||
                        std::any_of(question.others.begin(), question.others.end(), holds);
  file.questions.push_back(std::move(question));
}

QuestionFile read_questions(const std::filesystem::path& path, OnError on_error) {
  QuestionFile out;
  out.name = path.filename().string();
  if (!read_whole(read_file(path), path, on_error, out)) {
    out.report = read_jsonl(path, on_error, [&](const Value& line) { read_question(line, out); });
  }
  if (out.questions.empty()) {
    fail(ErrorKind::data, "{}: no question in it{}", path.string(),
         out.report.skipped.empty() ? ""
                                    : fmt::format(" ({} lines skipped; the first: {})", out.report.skipped.size(),
                                                  out.report.skipped.front()));
  }
  return out;
}

}  // namespace kvmend
