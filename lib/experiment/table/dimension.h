#pragma once
// What tells cells apart, by name: what tables have rows and columns by, and conditions choose by.
#include <string>
#include <vector>

#include "experiment/table/data.h"

namespace kvmend {

/// The value of a dimension for a cell: strategy, ratio ("" if it has none), task, group ("" unless split), model, chunker, dtype, backend, chat,
/// load_from, tokenize, system, max_new_tokens, keep_bos, keep_answer_space (true, false), data, tokenizer (8 digits of its
/// fingerprint), evidence, key; any parameter of its strategy or task; "" where it has no such parameter.
std::string dimension(const TableCell& cell, const std::string& name);

/// Names that `dimension` knows for these cells: first the fixed ones, then parameters.
std::vector<std::string> dimension_names(const std::vector<TableCell>& cells);

}  // namespace kvmend
