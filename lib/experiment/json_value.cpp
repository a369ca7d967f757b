#include "experiment/json_value.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace kvmend {
namespace {

Value convert(const nlohmann::ordered_json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    Value::List list;
    for (const auto& item : json) list.push_back(convert(item));
    return list;
  }
  if (json.is_object()) {
    Value::Map map;
    for (const auto& [key, value] : json.items()) {
      Value::Entry entry;
      entry.key = key;
      entry.value = convert(value);
      map.push_back(std::move(entry));
    }
    return map;
  }
  return {};
}

}  // namespace

Value parse_json_value(std::string_view text, std::string_view what) {
  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) fail(ErrorKind::data, "{}: damaged (no JSON)", what);
  return convert(json);
}

}  // namespace kvmend
