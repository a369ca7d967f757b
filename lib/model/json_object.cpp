#include "model/json_object.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "model/in_quotes.h"

namespace kvmend {
namespace {

using nlohmann::json;

constexpr int deepest = 64;

/// "line:column" of the byte with that number; all count from 1.
std::string place_of(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(std::max<std::size_t>(byte, 1) - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto last = before.rfind('\n');
  return fmt::format("{}:{}", line, last == std::string_view::npos ? before.size() + 1 : before.size() - last);
}

/// Watches the parser for what JSON allows and we do not.
class Strictness {
 public:
  explicit Strictness(std::string where) : where_(std::move(where)) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > deepest) fail(ErrorKind::data, "{}: nested more than {} deep", where_, deepest);
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.back().insert(parsed.get_ref<const std::string&>()).second) {
      fail(ErrorKind::data, "{}: the key {} appears twice in one object", where_,
           in_quotes(parsed.get_ref<const std::string&>()));
    }
    return true;
  }

 private:
  std::string where_;
  std::vector<std::set<std::string>> keys_;
};

std::string found_text(const json& value) {
  if (value.is_structured()) return value.type_name();
  if (value.is_string()) return "the string " + in_quotes(value.get_ref<const std::string&>());
  return value.dump();
}

}  // namespace

JsonObject JsonObject::parse(std::string_view text, std::string where) {
  json parsed;
  try {
    Strictness strictness(where);
    parsed = json::parse(text.begin(), text.end(), [&](int depth, json::parse_event_t event, json& value) {
      return strictness(depth, event, value);
    });
  } catch (const json::parse_error& error) {
    std::string what = error.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: reason"
    if (const auto reason = what.find(": "); reason != std::string::npos) what.erase(0, reason + 2);
    fail(ErrorKind::data, "{}:{}: not valid JSON: {}", where, place_of(text, error.byte), what);
  } catch (const json::exception& error) {
    fail(ErrorKind::data, "{}: not valid JSON: {}", where, error.what());
  }
  if (!parsed.is_object()) {
    fail(ErrorKind::data, "{}: expected a JSON object, found {}", where, parsed.type_name());
  }
  return {std::move(parsed), std::move(where), ""};
}

JsonObject JsonObject::read(const std::filesystem::path& path) {
  const MappedFile map(path);
  return parse({reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()}, path.string());
}

const json* JsonObject::find(std::string_view key) const {
  const auto place = raw_.find(key);
  return place == raw_.end() || place->is_null() ? nullptr : &*place;
}

std::string JsonObject::where(std::string_view key) const {
  return fmt::format("{}: key {}", where_, in_quotes(path_ + std::string(key)));
}

void JsonObject::wrong_type(std::string_view key, std::string_view wanted, const json& found) const {
  fail(ErrorKind::data, "{}: expected {}, found {}", where(key), wanted, found_text(found));
}

std::optional<std::int64_t> JsonObject::integer(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  const bool fits = value->is_number_unsigned() ? value->get<std::uint64_t>() <= INT64_MAX : value->is_number_integer();
  if (!fits) wrong_type(key, "an integer below 2^63", *value);
  return value->get<std::int64_t>();
}

std::optional<double> JsonObject::number(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_number()) wrong_type(key, "a number", *value);
  return value->get<double>();
}

std::optional<bool> JsonObject::boolean(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) wrong_type(key, "true or false", *value);
  return value->get<bool>();
}

std::optional<std::string> JsonObject::text(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) wrong_type(key, "a string", *value);
  return value->get<std::string>();
}

std::optional<JsonObject> JsonObject::object(std::string_view key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (!value->is_object()) wrong_type(key, "an object", *value);
  return JsonObject(*value, where_, path_ + std::string(key) + ".");
}

int JsonObject::sized(std::string_view key, std::int64_t low, std::int64_t high, std::optional<int> missing) const {
  const auto value = integer(key);
  if (!value) {
    if (missing) return *missing;
    fail(ErrorKind::data, "{}: missing", where(key));
  }
  if (*value < low || *value > high) {
    fail(ErrorKind::data, "{}: {} is not within {} to {}", where(key), *value, low, high);
  }
  return static_cast<int>(*value);
}

}  // namespace kvmend
