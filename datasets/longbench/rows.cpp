#include "datasets/longbench/rows.h"

#include <array>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/suggest.h"

namespace kvmend {
namespace {

const Value& field(const Value& line, const char* name) {
  if (const Value* value = line.find(name)) return *value;
  std::vector<std::string> keys;
  for (const auto& entry : line.as_map()) keys.push_back(entry.key);
  const std::string near = nearest_name(name, keys);
  fail(ErrorKind::data, "{}no '{}'{}", line.where.prefix(), name,
       near.empty() ? "" : fmt::format("; is '{}' meant?", near));
}

std::vector<std::string> strings(const Value& list) {
  std::vector<std::string> out;
  for (const Value& item : list.as_list()) out.push_back(item.as_string());
  return out;
}

LongBenchRow read_row(const Value& line, const std::string& subset) {
  if (!line.is_map()) {
    fail(ErrorKind::data, "{}a line is a map {{input, context, answers, …}}, found {}", line.where.prefix(),
         line.type_name());
  }
  LongBenchRow out;
  out.input = field(line, "input").as_string();
  out.context = field(line, "context").as_string();
  if (out.context.empty()) fail(ErrorKind::data, "{}context is empty", line.find("context")->where.prefix());
  const Value& answers = field(line, "answers");
  out.answers = strings(answers);
  if (out.answers.empty()) fail(ErrorKind::data, "{}answers is empty: nothing could be scored", answers.where.prefix());
  if (const Value* classes = line.find("all_classes"); classes && !classes->is_null())
    out.all_classes = strings(*classes);
  out.length = static_cast<int>(field(line, "length").as_int());
  if (const Value* dataset = line.find("dataset"); dataset && !dataset->is_null()) {
    const std::string& name = dataset->as_string();
    if (name != subset && name != subset + "_e") {
      fail(ErrorKind::data, "{}this line belongs to '{}', not to '{}'", dataset->where.prefix(), name, subset);
    }
  }
  const Value* id = line.find("_id");
  out.id = id && id->is_string() && !id->as_string().empty() ? id->as_string()
                                                             : fmt::format("{}-{}", subset, line.where.line);
  return out;
}

/// Bytes of a label's number and colon at `at`; 0 if there is none.
std::size_t number_and_colon(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  if (at == begin) return 0;
  if (text.substr(at).starts_with(":")) return at + 1 - begin;
  return text.substr(at).starts_with("\uFF1A") ? at + 3 - begin : 0;
}

}  // namespace

LongBenchFile read_longbench(const std::filesystem::path& path, const std::string& subset, OnError on_error) {
  LongBenchFile out;
  out.name = path.filename().string();
  std::set<std::string> ids;
  out.report = read_jsonl(path, on_error, [&](const Value& line) {
    LongBenchRow row = read_row(line, subset);
    if (!ids.insert(row.id).second) fail(ErrorKind::data, "{}_id '{}' occurs twice", line.where.prefix(), row.id);
    out.rows.push_back(std::move(row));
  });
  if (out.rows.empty()) {
    fail(ErrorKind::data, "{}: no sample in it{}", path.string(),
         out.report.skipped.empty() ? ""
                                    : fmt::format(" ({} lines skipped; the first: {})", out.report.skipped.size(),
                                                  out.report.skipped.front()));
  }
  return out;
}

std::vector<std::size_t> document_starts(std::string_view context) {
  static constexpr std::array<std::string_view, 4> labels = {"Passage ", "Paragraph ", "\u6bb5\u843d", "\u6587\u7ae0"};
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < context.size();) {
    for (const auto label : labels) {
      const std::string_view line = context.substr(at);
      if (!line.starts_with(label)) continue;
      // DuReader's documents are headed by a number alone on its line.
      std::size_t digits = label.size();
      while (digits < line.size() && line[digits] >= '0' && line[digits] <= '9') ++digits;
      const bool alone = digits > label.size() && label == labels[3] && line.substr(digits).starts_with("\n");
      if (alone || number_and_colon(line, label.size()) > 0) out.push_back(at);
    }
    at = context.find('\n', at);
    if (at == std::string_view::npos) break;
    ++at;
  }
  return out;
}

}  // namespace kvmend
