#pragma once
#include <string>
#include <string_view>

#include "experiment/table/table.h"

namespace kvmend {

/// Columns that do not fit `width` characters continue in a further table below.
std::string table_as_text(const Table& table, int width);
std::string table_as_markdown(const Table& table);
/// A line a figure, with the fields of the JSON.
std::string table_as_csv(const Table& table);
/// [{strategy, params, ratio, task, model, chunker, value, n, mean, lo, hi, effective_ratio, flops_ratio,
/// distinguishable}]; null where a figure averages over several or has no interval.
std::string table_as_json(const Table& table);

/// booktabs, a tabular a block. Compiles as it is, and \\input takes it into a paper that loads booktabs.
std::string table_as_latex(const Table& table);

/// "text", "md", "csv", "latex" or "json"; throws Error(usage) with the nearest name.
std::string format_table(const Table& table, std::string_view format, int width);

}  // namespace kvmend
