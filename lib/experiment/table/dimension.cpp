#include "experiment/table/dimension.h"

#include <algorithm>

namespace kvmend {
namespace {

/// A plain value as people write it; quotes only where YAML needs them.
std::string as_text(const Value& value) { return value.is_string() ? value.as_string() : value.flow(); }

const std::vector<std::string>& fixed_dimensions() {
  static const std::vector<std::string> names = {
      "strategy",          "ratio", "group",     "task",     "model",  "chunker",        "dtype",
      "backend",           "chat",  "load_from", "tokenize", "system", "max_new_tokens", "keep_bos",
      "keep_answer_space", "data",  "tokenizer", "evidence", "key"};
  return names;
}

}  // namespace

std::string dimension(const TableCell& cell, const std::string& name) {
  if (name == "strategy") return cell.strategy;
  if (name == "ratio") return cell.record.ratio ? format_number(*cell.record.ratio) : "";
  if (name == "task") return cell.task;
  if (name == "model") return cell.model;
  if (name == "chunker") {
    std::string flow = cell.record.chunker.flow();
    return flow.starts_with('{') ? flow.substr(1, flow.size() - 2) : flow;
  }
  if (name == "dtype") return cell.record.dtype;
  if (name == "backend") return cell.record.backend;
  if (name == "chat") return cell.record.chat;
  if (name == "load_from") return cell.record.load_from;
  if (name == "tokenize") return cell.record.tokenize;
  if (name == "evidence") return cell.evidence;
  if (name == "group") return cell.group;
  if (name == "key") return cell.record.key.substr(0, 8);
  const Value& canonical = cell.record.canonical;
  if (name == "system" || name == "max_new_tokens") {
    const Value* value = canonical.find(name);
    return value && !value->is_null() ? as_text(*value) : "";
  }
  if (name == "keep_bos" || name == "keep_answer_space") {  // cells from before there was the option have none
    const Value* value = canonical.find(name);
    return value && value->is_bool() && value->as_bool() ? "true" : "false";
  }
  if (name == "tokenizer") {
    const Value* value = canonical.find(name);
    return value && value->is_string() ? value->as_string().substr(0, 8) : "";
  }
  if (name == "data") {
    const Value* task = canonical.find("task");
    const Value* data = task ? task->find("data") : nullptr;
    return data ? as_text(*data) : "";
  }
  if (const Value* value = cell.params.find(name)) return as_text(*value);
  if (const Value* value = cell.record.task_params.find(name)) return as_text(*value);
  return "";
}

std::vector<std::string> dimension_names(const std::vector<TableCell>& cells) {
  std::vector<std::string> names = fixed_dimensions();
  for (const auto& cell : cells) {
    for (const Value* params : {&cell.params, &cell.record.task_params}) {
      if (!params->is_map()) continue;
      for (const auto& entry : params->as_map()) {
        if (std::find(names.begin(), names.end(), entry.key) == names.end()) names.push_back(entry.key);
      }
    }
  }
  return names;
}

}  // namespace kvmend
