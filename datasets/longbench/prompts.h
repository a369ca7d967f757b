#pragma once
#include <filesystem>
#include <string>

namespace kvmend {

/// One subset's prompt around its context: what LongBench's dataset2prompt.json says, split at {context}.
struct PromptTemplate {
  std::string before, after;  ///< `after` may hold {input}
  std::string sha256;         ///< of the whole template
};

/// Throws Error(data) for a file without the subset, or a template without one {context} or with other fields.
PromptTemplate read_prompt_template(const std::filesystem::path& path, const std::string& subset);

}  // namespace kvmend
