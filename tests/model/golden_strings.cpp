#include "golden_strings.h"

#include <zlib.h>

#include <cstring>

#include "core/error.h"
#include "core/utf8.h"
#include "paths.h"

namespace kvmend {
namespace {

std::string read_gz(const std::filesystem::path& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) fail(ErrorKind::data, "{}: cannot be opened", path.string());
  std::string content;
  std::string block(1 << 16, '\0');
  int count = 0;
  while ((count = gzread(file, block.data(), static_cast<unsigned>(block.size()))) > 0) {
    content.append(block, 0, static_cast<std::size_t>(count));
  }
  gzclose(file);
  if (count < 0) fail(ErrorKind::data, "{}: is damaged", path.string());
  return content;
}

}  // namespace

std::filesystem::path tokenizer_data() { return std::filesystem::path(source_folder()) / "tests/data/tokenizers"; }

const std::vector<std::string>& golden_strings() {
  static const std::vector<std::string> strings = [] {
    const std::string content = read_gz(tokenizer_data() / "strings.gz");
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
  return nlohmann::json::parse(read_gz(tokenizer_data() / (name + ".golden.json.gz")));
}

std::uint32_t crc_of(const std::vector<std::int32_t>& ids, std::uint32_t start) {
  if (ids.empty()) return start;  // zlib takes a null pointer for "begin anew"
  const auto* bytes = reinterpret_cast<const Bytef*>(ids.data());
  return static_cast<std::uint32_t>(crc32(start, bytes, static_cast<uInt>(ids.size() * sizeof(ids[0]))));
}

}  // namespace kvmend
