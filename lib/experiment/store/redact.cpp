#include "experiment/store/redact.h"

#include <algorithm>
#include <map>
#include <vector>

#include "experiment/store/impl.h"
#include "experiment/store/schema.h"

namespace kvmend {
namespace {

/// No prompt is made of the token 0 alone.
bool lacks_ids(const TokenTable& tokens) {
  return !tokens.ids.empty() && std::all_of(tokens.ids.begin(), tokens.ids.end(), [](auto id) { return id == 0; });
}

std::set<std::string> tasks_without_ids(Database& database) {
  std::map<std::string, std::string> task_of;  // by prompts
  Statement cells = database.prepare("SELECT DISTINCT prompts, task FROM cells");
  while (cells.step()) task_of[cells.text(0)] = cells.text(1);
  std::set<std::string> found;
  Statement samples = database.prepare("SELECT prompts, tokens FROM samples");
  while (samples.step()) {
    const auto task = task_of.find(samples.text(0));
    if (task == task_of.end() || found.contains(task->second)) continue;
    if (lacks_ids(unpack_tokens(samples.blob(1)))) found.insert(task->second);
  }
  return found;
}

std::vector<std::int64_t> samples_of(Database& database, const std::string& task) {
  std::vector<std::int64_t> out;
  Statement rows =
      database.prepare("SELECT sample FROM samples WHERE prompts IN (SELECT prompts FROM cells WHERE task = ?)");
  rows.bind(task);
  while (rows.step()) out.push_back(rows.integer(0));
  return out;
}

}  // namespace

std::string redacted_text(std::string text) {
  for (char& c : text) {
    if (c != ' ' && c != '\n') c = '_';  // byte by byte: spans count bytes
  }
  return text;
}

TokenTable redacted_tokens(TokenTable tokens) {
  std::fill(tokens.ids.begin(), tokens.ids.end(), 0);
  return tokens;
}

std::set<std::string> redacted_tasks(Database& database) {
  if (database.integer("PRAGMA user_version") < redacting_schema_version) return tasks_without_ids(database);
  std::set<std::string> out;
  Statement rows = database.prepare("SELECT task FROM redacted_tasks");
  while (rows.step()) out.insert(rows.text(0));
  return out;
}

bool is_redacted(Database& database, const std::string& prompts) {
  Statement find = database.prepare("SELECT 1 FROM cells JOIN redacted_tasks USING (task) WHERE prompts = ? LIMIT 1");
  return find.bind(prompts).step();
}

void record_redacted_tasks(Database& database, const std::set<std::string>& tasks) {
  Statement record = database.prepare("INSERT OR IGNORE INTO redacted_tasks (task) VALUES (?)");
  Statement find = database.prepare("SELECT text, tokens FROM samples WHERE sample = ?");
  Statement update = database.prepare("UPDATE samples SET text = ?, tokens = ? WHERE sample = ?");
  for (const std::string& task : tasks) {
    record.bind(task).run();
    for (const std::int64_t sample : samples_of(database, task)) {
      if (!find.bind(sample).step()) continue;
      TokenTable tokens = unpack_tokens(find.blob(1));
      if (lacks_ids(tokens)) continue;
      const std::string text = compress(redacted_text(decompress(find.blob(0), "a sample's text")));
      const std::string packed = pack_tokens(redacted_tokens(std::move(tokens)));
      find.reset();
      update.bind(as_blob(text), as_blob(packed), sample).run();
    }
  }
}

std::set<std::string> Store::redacted_tasks() { return kvmend::redacted_tasks(*impl_->db); }

void Store::redact(const std::set<std::string>& tasks) {
  Database& db = *impl_->db;
  Transaction transaction(db);
  record_redacted_tasks(db, tasks);
  transaction.commit();
  db.execute("VACUUM");  // what was overwritten is not in the file any more, either
}

}  // namespace kvmend
