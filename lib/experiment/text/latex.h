#pragma once
// Tables for a paper: booktabs, compiled as they are or by \input.
#include <string>
#include <vector>

namespace kvmend {

/// Text as LaTeX's default fonts can set it, with nothing that it takes for a command.
std::string latex_text(const std::string& text);

/// rows[0]: the headings. Cells are LaTeX already; `columns`: their alignments, "lrr".
std::string latex_tabular(const std::string& columns, const std::vector<std::vector<std::string>>& rows);

/// A document of its own, unless one has begun: then \input takes only the body. Remarks are comments, a line each.
std::string latex_document(const std::vector<std::string>& remarks, const std::string& body);

}  // namespace kvmend
