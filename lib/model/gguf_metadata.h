#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/byte_reader.h"

namespace kvmend {

/// GGUF's value types, by their number in the file.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

/// The key-value part of a GGUF file. Values stay where they are mapped and are decoded when asked for; their extent
/// was checked when they were read. Getters give none for a missing key and throw Error(data), naming file, key,
/// the type wanted and the type found, for a value of another type.
class GgufMetadata {
 public:
  explicit GgufMetadata(std::string file) : file_(std::move(file)) {}

  /// Reads one key and its value. Throws Error(data) for an unknown type, a length past the end, arrays nested
  /// more than four deep and a key that was there before.
  void read_entry(ByteReader& reader);

  const std::string& file() const { return file_; }
  bool has(std::string_view key) const { return entries_.find(key) != entries_.end(); }

  std::optional<std::int64_t> integer(std::string_view key) const;  ///< any integer type, in int64's range
  std::optional<double> number(std::string_view key) const;         ///< any number type
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;      ///< array of strings; empty if missing
  std::vector<std::int64_t> integers(std::string_view key) const;  ///< array of any integer type; empty if missing
  std::vector<double> numbers(std::string_view key) const;         ///< array of any number type; empty if missing

 private:
  struct Entry {
    GgufType type;
    GgufType element;     ///< arrays: of what
    std::uint64_t count;  ///< arrays: how many
    std::span<const std::byte> bytes;
  };
  const Entry* find(std::string_view key) const;
  const Entry* array(std::string_view key) const;
  [[noreturn]] void wrong_type(std::string_view key, std::string_view wanted, const Entry& found) const;

  std::string file_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace kvmend
