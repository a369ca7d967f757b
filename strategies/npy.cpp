#include "strategies/npy.h"

#include <cstdint>
#include <cstring>

#include "core/error.h"
#include "core/file.h"

namespace kvmend {
namespace {

/// The text behind `'key': ` in the header's Python dict, up to the next comma outside parentheses.
std::string header_field(const std::string& header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == std::string::npos) return "";
  std::size_t begin = at + key.size() + 3, end = begin;
  for (int depth = 0; end < header.size() && (depth > 0 || (header[end] != ',' && header[end] != '}')); ++end) {
    depth += header[end] == '(' ? 1 : header[end] == ')' ? -1 : 0;
  }
  while (begin < end && header[begin] == ' ') ++begin;
  return header.substr(begin, end - begin);
}

}  // namespace

std::vector<float> read_npy_vector(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const auto broken = [&](const char* what) { fail(ErrorKind::data, "{}: {}", path.string(), what); };
  if (content.size() < 12 || content.compare(0, 6, "\x93NUMPY") != 0) broken("not a .npy file");
  const bool wide = content[6] >= 2;
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, content.data() + 8, wide ? 4 : 2);
  const std::size_t start = wide ? 12 : 10;
  if (header_size > content.size() - start) broken("truncated header");
  const std::string header = content.substr(start, header_size);
  const std::string descr = header_field(header, "descr"), shape = header_field(header, "shape");
  const std::size_t item = descr == "'<f4'" ? 4 : descr == "'<f8'" ? 8 : 0;
  if (item == 0) broken("expected dtype float32 or float64, little-endian");
  if (shape.find(',') == std::string::npos || shape.find_first_of("0123456789", shape.find(',')) != std::string::npos) {
    broken("expected one dimension");
  }
  const std::size_t bytes = content.size() - start - header_size;
  const std::size_t count = std::strtoull(shape.c_str() + 1, nullptr, 10);
  if (bytes % item != 0 || bytes / item != count) broken("its size does not match its shape");

  std::vector<float> out(count);
  const char* data = content.data() + start + header_size;
  for (std::size_t i = 0; i < count; ++i) {
    if (item == 4) {
      std::memcpy(&out[i], data + i * 4, 4);
    } else {
      double value = 0;
      std::memcpy(&value, data + i * 8, 8);
      out[i] = static_cast<float>(value);
    }
  }
  return out;
}

}  // namespace kvmend
