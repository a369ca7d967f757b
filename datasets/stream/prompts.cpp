#include "datasets/stream/prompts.h"

#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/suggest.h"

namespace kvmend {
namespace {

StreamPrompt read_prompt(const Value& line) {
  if (!line.is_map()) {
    fail(ErrorKind::data, "{}a line is a map {{prompt}}, found {}", line.where.prefix(), line.type_name());
  }
  const Value* prompt = line.find("prompt");
  if (!prompt) {
    std::vector<std::string> keys;
    for (const auto& entry : line.as_map()) keys.push_back(entry.key);
    const std::string near = nearest_name("prompt", keys);
    fail(ErrorKind::data, "{}no 'prompt'{}", line.where.prefix(),
         near.empty() ? "" : fmt::format("; is '{}' meant?", near));
  }
  StreamPrompt out;
  out.text = prompt->as_string();
  if (out.text.empty()) fail(ErrorKind::data, "{}prompt is empty", prompt->where.prefix());
  const Value* id = line.find("id");
  out.id = !id || id->is_null() ? fmt::format("p{}", line.where.line)
           : id->is_int()       ? std::to_string(id->as_int())
                                : id->as_string();
  if (const Value* answers = line.find("answers"); answers && !answers->is_null()) {
    for (const Value& answer : answers->as_list()) out.answers.push_back(answer.as_string());
  }
  return out;
}

}  // namespace

PromptStream read_prompts(const std::filesystem::path& path, OnError on_error) {
  PromptStream out;
  out.name = path.filename().string();
  std::set<std::string> ids;
  out.report = read_jsonl(path, on_error, [&](const Value& line) {
    StreamPrompt prompt = read_prompt(line);
    if (!ids.insert(prompt.id).second) fail(ErrorKind::data, "{}id '{}' occurs twice", line.where.prefix(), prompt.id);
    out.prompts.push_back(std::move(prompt));
  });
  if (out.prompts.empty()) fail(ErrorKind::data, "{}: no prompt in it", path.string());
  return out;
}

}  // namespace kvmend
