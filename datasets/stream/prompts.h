#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/jsonl.h"

namespace kvmend {

/// A prompt of a stream, in arrival order.
struct StreamPrompt {
  std::string id;  ///< its own, else "p" and the line's number
  std::string text;
  std::vector<std::string> answers;  ///< may be empty: what matters is that output is equal with reuse and without
};

struct PromptStream {
  std::vector<StreamPrompt> prompts;
  JsonlReport report;
  std::string name;
};

/// Reads JSONL of {prompt, id?, answers?}. Wrong or missing fields are errors (data) with file:line:column, or skipped
/// lines; the same prompt may come again, the same id may not.
PromptStream read_prompts(const std::filesystem::path& path, OnError on_error);

}  // namespace kvmend
