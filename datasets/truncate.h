#pragma once
#include <span>

#include "datasets/task.h"

namespace kvmend {

/// Keeps the first and the last `budget / 2` tokens of prefix + context + query and takes out what lies between, whole
/// characters only; `tokens` are the spans of that text's tokens. Passages, evidence and question keep their places in
/// what is left; evidence that is gone wholly goes, too. Nothing changes where the text fits. (LongBench's rule.)
void truncate_middle(TaskSample& sample, std::span<const ByteSpan> tokens, int budget);

}  // namespace kvmend
