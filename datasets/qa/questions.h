#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "datasets/jsonl.h"

namespace kvmend {

struct Passage {
  std::string title;  ///< may be empty
  std::string text;
};

/// One question of a file. Passages are indices into QuestionFile::passages.
struct Question {
  std::string id;  ///< the question's own, else "q" and the line's number
  std::string question;
  std::vector<std::string> answers;
  std::vector<int> gold;    ///< marked as such; where none is marked, those that contain an answer
  std::vector<int> others;  ///< the rest of its own passages (SQuAD: of its article)
  bool answerable = false;  ///< an answer occurs in one of its passages (case and spacing ignored)
};

struct QuestionFile {
  std::vector<Question> questions;
  std::vector<Passage> passages;
  JsonlReport report;
  int unanswerable = 0;  ///< questions that the file itself marks as having no answer: left out
  std::string name;      ///< the file's name
  std::set<std::string> ids;
  /// For Task::data_identity.
  std::string identity() const { return name + " sha256:" + report.sha256; }
};

/// Reads questions with their passages, whichever of these the file holds:
///   JSON lines, or one JSON list, of {question, answers: […] or answer (with answer_aliases), passages, id or _id?}, where
///     passages (or paragraphs, ctxs, context) are {text or paragraph_text, title?, gold or is_supporting or isgold?} or
///     [title, [sentences]], gold then being what supporting_facts names: our own form, MuSiQue, "Lost in the Middle",
///     HotpotQA, 2WikiMultihopQA;
///   SQuAD's {data: [{paragraphs: [{context, qas}]}]}.
/// Other keys are ignored. Wrong or missing fields are errors (data) with file:line:column, or skipped questions.
QuestionFile read_questions(const std::filesystem::path& path, OnError on_error);

/// Lower case, white space collapsed: what "contains an answer" compares.
std::string fold_text(std::string_view text);
/// True if one of `answers` occurs in `folded`.
bool contains_answer(const std::string& folded, const std::vector<std::string>& answers);

/// The files' forms, one question each; questions.cpp tells which one a file has.
void read_question(const Value& line, QuestionFile& out);
void read_squad_question(const Value& question, const std::vector<int>& article, int paragraph, QuestionFile& out);
/// Appends and returns the index.
int add_passage(QuestionFile& file, Passage passage);
/// Fills `answerable`, adds the question; throws Error(data) for an id that occurs twice.
void add_question(QuestionFile& file, Question question, const Location& where);

}  // namespace kvmend
