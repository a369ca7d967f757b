#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// A value of a parsed JSON file that knows its place, so that every error can name it
/// ("tokenizer.json: /pre_tokenizer/pretokenizers/0/type: …"). All members throw Error(data).
class JsonField {
 public:
  JsonField(const nlohmann::json& value, std::string place) : value_(&value), place_(std::move(place)) {}

  bool is_null() const { return value_->is_null(); }
  bool is_object() const { return value_->is_object(); }
  bool is_string() const { return value_->is_string(); }
  /// A member that must be there.
  JsonField at(std::string_view key) const;
  /// A member, or null where it is missing.
  JsonField get(std::string_view key) const;
  std::vector<JsonField> list() const;
  const nlohmann::json& object() const;
  std::string text() const;
  std::int64_t integer() const;
  bool flag(std::string_view key, bool otherwise) const;
  /// The member `type`, one of `known`.
  std::string type(std::string_view what, const std::vector<std::string>& known) const;
  [[noreturn]] void refuse(const std::string& message) const;
  const std::string& place() const { return place_; }

 private:
  [[noreturn]] void wrong(std::string_view wanted) const;
  const nlohmann::json* value_;
  std::string place_;
};

/// Throws Error(data) naming the file, and line and column where it is malformed.
nlohmann::json read_json(const std::filesystem::path& path);

}  // namespace kvmend
