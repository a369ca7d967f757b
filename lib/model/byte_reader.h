#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"

namespace kvmend {

/// A little-endian cursor over a file's bytes that cannot leave them. Every read says what it wants, so that a
/// truncated or hostile file gives an Error(data) with the file, the offset and the thing that did not fit.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }
  const std::string& file() const { return file_; }

  std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail(ErrorKind::data, "{}: at byte {}: {} needs {} bytes, {} are left; the file is truncated or damaged", file_,
           offset_, what, count, remaining());
    }
    const auto out = bytes_.subspan(offset_, count);
    offset_ += count;
    return out;
  }

  template <class T>
  T read(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  /// A 64-bit length, then that many bytes.
  std::string_view string(std::string_view what) {
    const auto length = read<std::uint64_t>(what);
    const auto bytes = take(length, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::uint64_t offset_ = 0;
};

}  // namespace kvmend
