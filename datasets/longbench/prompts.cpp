#include "datasets/longbench/prompts.h"

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/json_value.h"

namespace kvmend {

PromptTemplate read_prompt_template(const std::filesystem::path& path, const std::string& subset) {
  const std::string bytes = read_file(path);
  utf8::check(bytes, path.string());
  const Value root = parse_json(bytes, path.string());
  const Value* entry = root.find(subset);
  if (!entry || !entry->is_string()) {
    fail(ErrorKind::data, "{}: no prompt for '{}'; LongBench's dataset2prompt.json has one for each subset",
         path.string(), subset);
  }
  const std::string& text = entry->as_string();
  static constexpr std::string_view context = "{context}", input = "{input}";
  const std::size_t at = text.find(context);
  if (at == std::string::npos) fail(ErrorKind::data, "{}no {{context}} in the prompt", entry->where.prefix());
  PromptTemplate out{text.substr(0, at), text.substr(at + context.size()), sha256(text)};
  std::string rest = out.after;
  if (const std::size_t field = rest.find(input); field != std::string::npos) rest.erase(field, input.size());
  if ((out.before + rest).find_first_of("{}") != std::string::npos) {
    fail(ErrorKind::data, "{}a prompt holds {{context}} once and {{input}} behind it at most once; found {}",
         entry->where.prefix(), entry->flow());
  }
  return out;
}

}  // namespace kvmend
