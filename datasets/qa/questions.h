#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/jsonl.h"

namespace kvmend {

struct Passage {
  std::string title;  ///< may be empty
  std::string text;
};

/// One line of a question file.
struct Question {
  std::string id;  ///< the line's `id`, else "q" and the line's number
  std::string question;
  std::vector<std::string> answers;
  std::vector<Passage> gold;    ///< marked `gold`; where none is marked, those that contain an answer
  std::vector<Passage> others;  ///< the rest of its own passages
  bool answerable = false;      ///< an answer occurs in one of its passages (case and spacing ignored)
};

struct QuestionFile {
  std::vector<Question> questions;
  JsonlReport report;
  std::string name;  ///< the file's name
};

/// Reads JSONL of {question, answers: [...], passages: [{text, title?, gold?}], id?}; other keys are ignored. Wrong or
/// missing fields are errors (data) with file:line:column, or skipped lines.
QuestionFile read_questions(const std::filesystem::path& path, OnError on_error);

/// Lower case, white space collapsed: what "contains an answer" compares.
std::string fold_text(std::string_view text);
/// True if one of `answers` occurs in `folded`.
bool contains_answer(const std::string& folded, const std::vector<std::string>& answers);

}  // namespace kvmend
