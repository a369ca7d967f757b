#include "datasets/registry.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/suggest.h"

namespace kvmend {
namespace {

std::map<std::string, TaskEntry>& registry() {
  static std::map<std::string, TaskEntry> entries;
  return entries;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : registry()) names.push_back(name);
  return names;
}

/// Group name → members: those a task declares ("niah" of "ruler/x" is "ruler/niah") and "FAMILY/all".
std::map<std::string, std::vector<std::string>> groups() {
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& [name, entry] : registry()) {
    const auto slash = name.find('/');
    if (slash == std::string::npos) continue;
    const std::string family = name.substr(0, slash + 1);
    if (entry.info.in_all) out[family + "all"].push_back(name);
    for (const auto& group : entry.info.groups) out[family + group].push_back(name);
  }
  return out;
}

const TaskEntry* find_entry(const std::string& name) {
  const auto found = registry().find(name);
  return found == registry().end() ? nullptr : &found->second;
}

std::string unknown_task(const std::string& name, bool with_groups) {
  std::vector<std::string> known = task_names();
  if (with_groups) {
    for (const auto& [group, members] : groups()) known.push_back(group);
  }
  return fmt::format("unknown task '{}'{}", name, did_you_mean(name, known));
}

}  // namespace

bool register_task(TaskEntry entry) {
  const std::string name = entry.info.name;
  require(registry().emplace(name, std::move(entry)).second, "task '{}' is registered twice", name);
  return true;
}

void fail_with(const ParamErrors& errors) { fail(ErrorKind::usage, "{}", fmt::join(errors.messages, "\n")); }

std::vector<TaskInfo> list_tasks() {
  std::vector<TaskInfo> out;
  for (const auto& [name, entry] : registry()) out.push_back(entry.info);
  return out;
}

std::vector<TaskGroup> list_task_groups() {
  std::vector<TaskGroup> out;
  for (auto& [name, members] : groups()) out.push_back({name, members});
  return out;
}

std::vector<std::string> expand_task_group(const std::string& name, const Location& where) {
  if (find_entry(name)) return {name};
  const auto all = groups();
  const auto found = all.find(name);
  if (found == all.end()) fail(ErrorKind::usage, "{}{}", where.prefix(), unknown_task(name, true));
  return found->second;
}

Value check_task(const std::string& name, const Location& where, const Value& params, ParamErrors& errors) {
  const TaskEntry* entry = find_entry(name);
  if (!entry) {
    errors.add(where, unknown_task(name, false));
    return {};
  }
  return entry->check(params, errors);
}

std::vector<std::string> missing_data_sets(const std::string& name, const Value& params) {
  const TaskEntry* entry = find_entry(name);
  return entry ? entry->missing(params) : std::vector<std::string>();
}

std::unique_ptr<Task> make_task(const std::string& name, const Value& params, const TaskContext& context) {
  const TaskEntry* entry = find_entry(name);
  if (!entry) fail(ErrorKind::usage, "{}", unknown_task(name, false));
  return entry->make(params, context);
}

}  // namespace kvmend
