#include "model/tokenizer/json_field.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/suggest.h"
#include "model/in_quotes.h"
#include "model/json_object.h"

namespace kvmend {
namespace {

const nlohmann::json null_value;

}  // namespace

void JsonField::refuse(const std::string& message) const { fail(ErrorKind::data, "{}: {}", place_, message); }

void JsonField::wrong(std::string_view wanted) const {
  refuse(fmt::format("expected {}, found {}", wanted, value_->type_name()));
}

JsonField JsonField::get(std::string_view key) const {
  const std::string place = fmt::format("{}/{}", place_, key);
  if (!value_->is_object()) wrong("an object");
  const auto found = value_->find(std::string(key));
  return {found == value_->end() ? null_value : *found, place};
}

JsonField JsonField::at(std::string_view key) const {
  JsonField field = get(key);
  if (field.is_null()) field.refuse("is missing");
  return field;
}

std::vector<JsonField> JsonField::list() const {
  if (!value_->is_array()) wrong("a list");
  std::vector<JsonField> fields;
  fields.reserve(value_->size());
  for (std::size_t i = 0; i < value_->size(); ++i) fields.emplace_back((*value_)[i], fmt::format("{}/{}", place_, i));
  return fields;
}

const nlohmann::json& JsonField::object() const {
  if (!value_->is_object()) wrong("an object");
  return *value_;
}

std::string JsonField::text() const {
  if (!value_->is_string()) wrong("a string");
  return value_->get<std::string>();
}

std::int64_t JsonField::integer() const {
  const bool fits = value_->is_number_integer() &&
                    !(value_->is_number_unsigned() &&
                      value_->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if (!fits) wrong("an integer");
  return value_->get<std::int64_t>();
}

bool JsonField::flag(std::string_view key, bool otherwise) const {
  const JsonField field = get(key);
  if (field.is_null()) return otherwise;
  if (!field.value_->is_boolean()) field.wrong("a boolean");
  return field.value_->get<bool>();
}

std::string JsonField::type(std::string_view what, const std::vector<std::string>& known) const {
  std::string name = at("type").text();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    refuse(fmt::format(
        "the {} {} is unknown{}; known: {}", what, in_quotes(name),
        nearest_name(name, known).empty() ? "" : fmt::format("; did you mean '{}'?", nearest_name(name, known)),
        fmt::join(known, ", ")));
  }
  return name;
}

nlohmann::json read_json(const std::filesystem::path& path) { return JsonObject::read(path).raw(); }

}  // namespace kvmend
