#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/jsonl.h"

namespace kvmend {

/// One line of a LongBench file.
struct LongBenchRow {
  std::string id;  ///< its `_id`, else the data set's name and the line's number
  std::string input, context;
  std::vector<std::string> answers, all_classes;
  int length = 0;  ///< words (Chinese: characters), as the file says
};

struct LongBenchFile {
  std::vector<LongBenchRow> rows;
  JsonlReport report;
  std::string name;
};

/// Wrong or missing fields, another subset's lines and ids that occur twice are errors (data) with file:line:column, or
/// skipped lines.
LongBenchFile read_longbench(const std::filesystem::path& path, const std::string& subset, OnError on_error);

/// Byte offsets of lines that begin "Passage 1:", "Paragraph 1:" or their Chinese forms.
std::vector<std::size_t> document_starts(std::string_view context);

}  // namespace kvmend
