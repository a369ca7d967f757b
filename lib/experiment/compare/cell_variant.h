#pragma once
// In what cells of one strategy, ratio and task can differ all the same: a store may hold runs with another chat format, answer
// length or file of questions.
#include <string>
#include <vector>

#include "experiment/table/data.h"

namespace kvmend {

/// The dimensions that a task's prompts are made by, beside the task and its parameters: chunker, tokenize, chat, data, …
const std::vector<std::string>& prompt_dimensions();

/// "max_new_tokens: 64, chat: raw": a cell's values of those `dimensions` in which `cells` differ, long ones shortened; empty
/// where they agree.
std::string variant_of(const TableCell& cell, const std::vector<const TableCell*>& cells,
                       const std::vector<std::string>& dimensions);

}  // namespace kvmend
