#include "experiment/compare/cell_variant.h"

#include <algorithm>

#include <fmt/format.h>

#include "experiment/table/cells.h"
#include "experiment/table/dimension.h"
#include "experiment/text/width.h"

namespace kvmend {

const std::vector<std::string>& prompt_dimensions() {
  static const std::vector<std::string> names = {"chunker",           "tokenize",       "chat", "system",   "keep_bos",
                                                 "keep_answer_space", "max_new_tokens", "data", "tokenizer"};
  return names;
}

std::string variant_of(const TableCell& cell, const std::vector<const TableCell*>& cells,
                       const std::vector<std::string>& dimensions) {
  constexpr std::size_t longest = 80;  // letters: file names with their hashes are read whole, system prompts are not
  std::string out;
  for (const std::string& name : dimensions) {
    const std::string value = dimension(cell, name);
    if (std::all_of(cells.begin(), cells.end(), [&](const TableCell* c) { return dimension(*c, name) == value; }))
      continue;
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, shorten(heading(name, value), longest));
  }
  return out;
}

}  // namespace kvmend
