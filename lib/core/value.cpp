#include "core/value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/error.h"

namespace kvmend {

std::string Location::prefix() const {
  if (file.empty()) return "";
  if (line <= 0) return file + ": ";
  if (column <= 0) return fmt::format("{}:{}: ", file, line);
  return fmt::format("{}:{}:{}: ", file, line, column);
}

namespace {

[[noreturn]] void wrong_type(const Value& value, std::string_view wanted) {
  fail(ErrorKind::usage, "{}expected {}, found {}", value.where.prefix(), wanted,
       value.is_null() ? std::string("nothing") : fmt::format("{} ({})", value.type_name(), value.flow()));
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

/// True if YAML may read a word as a number: YAML 1.2's (our reader's, experiment/config/yaml_scalar.h) and what from_chars takes.
bool looks_like_number(std::string_view word) {
  if (word.starts_with("0x") || word.starts_with("0o")) return true;
  if (word.front() == '+') word.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error != std::errc::invalid_argument && end == word.data() + word.size();  // too large for a double, too
}

/// True if YAML reads the bare word back as this very string.
bool plain_safe(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == ' ' || text.back() == ' ') return false;
  static constexpr std::string_view words[] = {"true", "false", "null", "yes",   "no",   "on",
                                               "off",  "~",     ".inf", "+.inf", ".nan", "+.nan"};
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(std::begin(words), std::end(words), lower) != std::end(words)) return false;
  if (looks_like_number(lower)) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' || c == '/' || c == ' ' ||
           c == '+' || c == '=';
  });
}

void write_canonical(std::string& out, const Value& v);

void write_flow(std::string& out, const Value& v) {
  if (v.is_list()) {
    out += '[';
    for (std::size_t i = 0; i < v.as_list().size(); ++i) {
      if (i) out += ", ";
      write_flow(out, v.as_list()[i]);
    }
    out += ']';
  } else if (v.is_map()) {
    out += '{';
    bool first = true;
    for (const auto& entry : v.as_map()) {
      if (!first) out += ", ";
      first = false;
      out += entry.key + ": ";
      write_flow(out, entry.value);
    }
    out += '}';
  } else if (v.is_string() && plain_safe(v.as_string())) {
    out += v.as_string();
  } else {
    write_canonical(out, v);
  }
}

void write_canonical(std::string& out, const Value& v) {
  if (v.is_null()) {
    out += "null";
  } else if (v.is_bool()) {
    out += v.as_bool() ? "true" : "false";
  } else if (v.is_int()) {
    out += std::to_string(v.as_int());
  } else if (v.is_number()) {
    out += format_number(v.as_number());
  } else if (v.is_string()) {
    append_json_string(out, v.as_string());
  } else if (v.is_list()) {
    out += '[';
    for (std::size_t i = 0; i < v.as_list().size(); ++i) {
      if (i) out += ',';
      write_canonical(out, v.as_list()[i]);
    }
    out += ']';
  } else {
    std::vector<const Value::Entry*> entries;
    for (const auto& entry : v.as_map()) entries.push_back(&entry);
    std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    out += '{';
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i) out += ',';
      append_json_string(out, entries[i]->key);
      out += ':';
      write_canonical(out, entries[i]->value);
    }
    out += '}';
  }
}

}  // namespace

bool Value::as_bool() const {
  if (!is_bool()) wrong_type(*this, "true or false");
  return std::get<bool>(data_);
}
std::int64_t Value::as_int() const {
  if (!is_int()) wrong_type(*this, "an integer");
  return std::get<std::int64_t>(data_);
}
double Value::as_number() const {
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(data_));
  if (!is_number()) wrong_type(*this, "a number");
  return std::get<double>(data_);
}
const std::string& Value::as_string() const {
  if (!is_string()) wrong_type(*this, "a string");
  return std::get<std::string>(data_);
}
const Value::List& Value::as_list() const {
  if (!is_list()) wrong_type(*this, "a list");
  return std::get<List>(data_);
}
const Value::Map& Value::as_map() const {
  if (!is_map()) wrong_type(*this, "a map of key: value");
  return std::get<Map>(data_);
}

const Value* Value::find(std::string_view key) const {
  if (!is_map()) return nullptr;
  for (const auto& entry : std::get<Map>(data_)) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void Value::set(std::string key, Value value) {
  if (is_null()) data_ = Map{};
  for (auto& entry : std::get<Map>(data_)) {
    if (entry.key == key) {
      entry.value = std::move(value);
      return;
    }
  }
  const Location place = value.where;
  std::get<Map>(data_).push_back(Entry{std::move(key), place, std::move(value)});
}

void Value::erase(std::string_view key) {
  if (!is_map()) return;
  std::erase_if(std::get<Map>(data_), [&](const Entry& entry) { return entry.key == key; });
}

std::string_view Value::type_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "a bool";
  if (is_int()) return "an integer";
  if (is_number()) return "a number";
  if (is_string()) return "a string";
  if (is_list()) return "a list";
  return "a map";
}

std::string Value::canonical() const {
  std::string out;
  write_canonical(out, *this);
  return out;
}

std::string Value::flow() const {
  std::string out;
  write_flow(out, *this);
  return out;
}

std::string format_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : std::string("NaN");
}

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace kvmend
