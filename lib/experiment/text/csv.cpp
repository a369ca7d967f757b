#include "experiment/text/csv.h"

namespace kvmend {

std::string csv_field(const Value& value) {
  if (value.is_null()) return "";
  const std::string text = value.is_string() ? value.as_string() : value.canonical();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace kvmend
