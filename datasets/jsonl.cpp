#include "datasets/jsonl.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "datasets/json_value.h"

namespace kvmend {
namespace {

void check_line_utf8(std::string_view line, const std::string& name, int number) {
  const std::size_t bad = utf8::find_invalid(line);
  if (bad == line.size()) return;
  fail(ErrorKind::data, "{}:{}:{}: not UTF-8 (byte 0x{:02X}); convert the file first", name, number, bad + 1,
       static_cast<unsigned>(static_cast<unsigned char>(line[bad])));
}

}  // namespace

JsonlReport read_jsonl(const std::filesystem::path& path, OnError on_error,
                       const std::function<void(const Value& line)>& read) {
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  JsonlReport report;
  report.sha256 = sha256(text);
  int number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    ++report.lines;
    try {
      check_line_utf8(line, path.string(), number);
      read(parse_json(line, path.string(), number));
    } catch (const Error& error) {
      if (on_error == OnError::error) throw Error(ErrorKind::data, error.what());
      report.skipped.emplace_back(error.what());
    }
  }
  return report;
}

}  // namespace kvmend
