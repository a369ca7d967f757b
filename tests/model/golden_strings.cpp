#include "golden_strings.h"

#include <cstring>

#include "core/utf8.h"
#include "paths.h"
#include "support/read_gz.h"

namespace kvmend {
std::filesystem::path tokenizer_data() { return std::filesystem::path(source_folder()) / "tests/data/tokenizers"; }

const std::vector<std::string>& golden_strings() {
  static const std::vector<std::string> strings = [] {
    const std::string content = read_gz((tokenizer_data() / "strings.gz").string());
    std::vector<std::string> all;
    for (std::size_t at = 0; at + 4 <= content.size();) {
      std::uint32_t size = 0;
      std::memcpy(&size, content.data() + at, 4);
      all.push_back(content.substr(at + 4, size));
      at += 4 + size;
    }
    return all;
  }();
  return strings;
}

std::vector<std::string> sweep_strings() {
  std::vector<std::string> all;
  for (const auto& [first, last] : {std::pair{0x0U, 0x40000U}, std::pair{0xE0000U, 0xE0200U}}) {
    for (char32_t begin = first; begin < last; begin += 32) {
      std::string text;
      for (char32_t c = begin; c < begin + 32; ++c) {
        if (c >= 0xD800 && c < 0xE000) continue;
        std::string s;
        utf8::append(s, c);
        text += "a" + s + "1 " + s + s + "'" + s + "!" + s + "\xCC\x81\xCC\xA7" + s + "\n";
      }
      all.push_back(std::move(text));
    }
  }
  return all;
}

nlohmann::json read_golden(const std::string& name) {
  return nlohmann::json::parse(read_gz((tokenizer_data() / (name + ".golden.json.gz")).string()));
}

std::uint32_t crc_of(const std::vector<std::int32_t>& ids, std::uint32_t start) {
  if (ids.empty()) return start;  // zlib takes a null pointer for "begin anew"
  const auto* bytes = reinterpret_cast<const Bytef*>(ids.data());
  return static_cast<std::uint32_t>(crc32(start, bytes, static_cast<uInt>(ids.size() * sizeof(ids[0]))));
}

}  // namespace kvmend
