#pragma once
#include <string>
#include <vector>

namespace kvmend {

/// A table of texts; the first row has the headings.
using TextRows = std::vector<std::vector<std::string>>;

/// For a terminal: columns flush left, two blanks apart.
std::string aligned_rows(const TextRows& rows);

/// Markdown; `columns`: their alignments, "lrr".
std::string piped_rows(const TextRows& rows, const std::string& columns);

}  // namespace kvmend
