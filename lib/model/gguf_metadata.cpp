#include "model/gguf_metadata.h"

#include <array>

#include "model/in_quotes.h"

namespace kvmend {
namespace {

constexpr int deepest_array = 4;  // no known key nests; the format allows it

constexpr std::array type_names{"u8",     "i8",       "u16",      "i16", "u32", "i32", "f32",
                                "a bool", "a string", "an array", "u64", "i64", "f64"};

std::string type_text(GgufType type) { return type_names[static_cast<std::size_t>(type)]; }

/// Bytes of a value of fixed size, 0 for strings and arrays.
std::uint64_t fixed_size(GgufType type) {
  constexpr std::array<std::uint64_t, 13> sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return sizes[static_cast<std::size_t>(type)];
}

GgufType read_type(ByteReader& reader, std::string_view key) {
  const auto at = reader.offset();
  const auto number = reader.read<std::uint32_t>("a value's type");
  if (number >= type_names.size()) {
    fail(ErrorKind::data, "{}: at byte {}: key {} has the unknown value type {}", reader.file(), at, in_quotes(key),
         number);
  }
  return static_cast<GgufType>(number);
}

void skip_value(ByteReader& reader, GgufType type, std::string_view key, int depth);

struct ArrayHead {
  GgufType element;
  std::uint64_t count;
};

ArrayHead skip_array(ByteReader& reader, std::string_view key, int depth) {
  if (depth > deepest_array) {
    fail(ErrorKind::data, "{}: at byte {}: key {} nests arrays more than {} deep", reader.file(), reader.offset(),
         in_quotes(key), deepest_array);
  }
  const GgufType element = read_type(reader, key);
  const auto count = reader.read<std::uint64_t>("an array's length");
  const std::uint64_t size = fixed_size(element);
  // Every element takes at least one byte, so this also bounds the loop below.
  if (count > reader.remaining() / (size ? size : 1)) {
    fail(ErrorKind::data, "{}: at byte {}: the array of key {} claims {} elements, {} bytes are left in the file",
         reader.file(), reader.offset(), in_quotes(key), count, reader.remaining());
  }
  if (size) {
    reader.take(count * size, "an array");
  } else {
    for (std::uint64_t i = 0; i < count; ++i) skip_value(reader, element, key, depth);
  }
  return {element, count};
}

void skip_value(ByteReader& reader, GgufType type, std::string_view key, int depth) {
  if (type == GgufType::string) {
    reader.string("a string");
  } else if (type == GgufType::array) {
    skip_array(reader, key, depth + 1);
  } else {
    reader.take(fixed_size(type), "a value");
  }
}

template <class T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

/// The integer at `p`, or none if the type is no integer or the value exceeds int64.
std::optional<std::int64_t> load_integer(GgufType type, const std::byte* p) {
  switch (type) {
    case GgufType::u8: return load<std::uint8_t>(p);
    case GgufType::i8: return load<std::int8_t>(p);
    case GgufType::u16: return load<std::uint16_t>(p);
    case GgufType::i16: return load<std::int16_t>(p);
    case GgufType::u32: return load<std::uint32_t>(p);
    case GgufType::i32: return load<std::int32_t>(p);
    case GgufType::i64: return load<std::int64_t>(p);
    case GgufType::u64: {
      const auto value = load<std::uint64_t>(p);
      if (value <= INT64_MAX) return static_cast<std::int64_t>(value);
      return std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::optional<double> load_number(GgufType type, const std::byte* p) {
  if (type == GgufType::f32) return load<float>(p);
  if (type == GgufType::f64) return load<double>(p);
  if (const auto i = load_integer(type, p)) return static_cast<double>(*i);
  return std::nullopt;
}

}  // namespace

void GgufMetadata::read_entry(ByteReader& reader) {
  const auto at = reader.offset();
  const std::string key(reader.string("a key"));
  Entry entry{read_type(reader, key), {}, 0, {}};
  const std::uint64_t begin = reader.offset();
  ByteReader start = reader;
  if (entry.type == GgufType::array) {
    const ArrayHead head = skip_array(reader, key, 1);
    entry.element = head.element;
    entry.count = head.count;
    start.take(sizeof(std::uint32_t) + sizeof(std::uint64_t), "an array's head");
  } else {
    skip_value(reader, entry.type, key, 0);
  }
  entry.bytes = start.take(reader.offset() - start.offset(), "a value");
  if (entry.type == GgufType::boolean && load<std::uint8_t>(entry.bytes.data()) > 1) {
    fail(ErrorKind::data, "{}: at byte {}: key {} is a bool that is neither 0 nor 1", file_, begin, in_quotes(key));
  }
  if (!entries_.try_emplace(key, entry).second) {
    fail(ErrorKind::data, "{}: at byte {}: key {} appears twice", file_, at, in_quotes(key));
  }
}

const GgufMetadata::Entry* GgufMetadata::find(std::string_view key) const {
  const auto place = entries_.find(key);
  return place == entries_.end() ? nullptr : &place->second;
}

const GgufMetadata::Entry* GgufMetadata::array(std::string_view key) const {
  const Entry* entry = find(key);
  if (entry && entry->type != GgufType::array) wrong_type(key, "an array", *entry);
  return entry;
}

void GgufMetadata::wrong_type(std::string_view key, std::string_view wanted, const Entry& found) const {
  std::string type = type_text(found.type);
  if (found.type == GgufType::array) type += " of " + type_text(found.element);
  fail(ErrorKind::data, "{}: key {}: expected {}, found {}", file_, in_quotes(key), wanted, type);
}

std::optional<std::int64_t> GgufMetadata::integer(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return std::nullopt;
  const auto value = load_integer(entry->type, entry->bytes.data());
  if (!value) wrong_type(key, "an integer below 2^63", *entry);
  return value;
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return std::nullopt;
  const auto value = load_number(entry->type, entry->bytes.data());
  if (!value) wrong_type(key, "a number", *entry);
  return value;
}

std::optional<bool> GgufMetadata::boolean(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return std::nullopt;
  if (entry->type != GgufType::boolean) wrong_type(key, "a bool", *entry);
  return load<std::uint8_t>(entry->bytes.data()) != 0;
}

std::optional<std::string> GgufMetadata::text(std::string_view key) const {
  const Entry* entry = find(key);
  if (!entry) return std::nullopt;
  if (entry->type != GgufType::string) wrong_type(key, "a string", *entry);
  return std::string(ByteReader(entry->bytes, file_).string("a string"));
}

std::vector<std::string> GgufMetadata::texts(std::string_view key) const {
  std::vector<std::string> out;
  const Entry* entry = array(key);
  if (!entry) return out;
  if (entry->element != GgufType::string) wrong_type(key, "an array of strings", *entry);
  ByteReader reader(entry->bytes, file_);
  out.reserve(entry->count);
  for (std::uint64_t i = 0; i < entry->count; ++i) out.emplace_back(reader.string("a string"));
  return out;
}

std::vector<std::int64_t> GgufMetadata::integers(std::string_view key) const {
  std::vector<std::int64_t> out;
  const Entry* entry = array(key);
  if (!entry) return out;
  out.reserve(entry->count);
  for (std::uint64_t i = 0; i < entry->count; ++i) {
    const auto value = load_integer(entry->element, entry->bytes.data() + i * fixed_size(entry->element));
    if (!value) wrong_type(key, "an array of integers below 2^63", *entry);
    out.push_back(*value);
  }
  return out;
}

std::vector<double> GgufMetadata::numbers(std::string_view key) const {
  std::vector<double> out;
  const Entry* entry = array(key);
  if (!entry) return out;
  out.reserve(entry->count);
  for (std::uint64_t i = 0; i < entry->count; ++i) {
    const auto value = load_number(entry->element, entry->bytes.data() + i * fixed_size(entry->element));
    if (!value) wrong_type(key, "an array of numbers", *entry);
    out.push_back(*value);
  }
  return out;
}

}  // namespace kvmend
