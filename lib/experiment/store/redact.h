#pragma once
// Stores that may be passed on where a task's texts may not: `merge --redact TASK`.
#include <set>
#include <string>

#include "experiment/store/blob.h"
#include "experiment/store/sqlite.h"

namespace kvmend {

/// Every byte of a prompt that is no space or line break becomes '_': spans count bytes, so that `show` and `report` draw the
/// same selections over underscores.
std::string redacted_text(std::string text);
/// Every id becomes 0, the byte spans stay.
TokenTable redacted_tokens(TokenTable tokens);

/// Tasks whose samples a store keeps without texts and token ids. A store of format 2 lists none: there it is those that have a
/// sample without token ids. Throws Error(data) as Database does.
std::set<std::string> redacted_tasks(Database& database);

/// Whether samples of `prompts` (CellKey::prompts) belong to such a task; their cells have been added. Throws Error(data).
bool is_redacted(Database& database, const std::string& prompts);

/// Adds to these tasks and overwrites the samples of theirs that are there, within the caller's transaction. Pages that the
/// texts were moved out of hold them until the caller's VACUUM. Throws Error(data).
void record_redacted_tasks(Database& database, const std::set<std::string>& tasks);

}  // namespace kvmend
