#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace kvmend {

/// A JSON object out of a model's file, with typed access whose errors name the file and the key. A key that is
/// null counts as missing. No exception of the JSON library leaves this class.
class JsonObject {
 public:
  /// Throws Error(data) for text that is not JSON (with line and column), not an object, nested more than 64 deep, or
  /// has a key twice in one object. `where` is the file's name for messages.
  static JsonObject parse(std::string_view text, std::string where);
  static JsonObject read(const std::filesystem::path& path);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  const nlohmann::json* find(std::string_view key) const;
  const nlohmann::json& raw() const { return raw_; }
  /// "config.json: key 'rope_scaling.factor'": the start of a message about a key.
  std::string where(std::string_view key) const;

  // A missing key gives none; a value of another type throws Error(data).
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<JsonObject> object(std::string_view key) const;

  /// An integer within [low, high]; without a default the key must be there.
  int sized(std::string_view key, std::int64_t low, std::int64_t high, std::optional<int> missing = {}) const;

 private:
  JsonObject(nlohmann::json raw, std::string where, std::string path)
      : raw_(std::move(raw)), where_(std::move(where)), path_(std::move(path)) {}
  [[noreturn]] void wrong_type(std::string_view key, std::string_view wanted, const nlohmann::json& found) const;

  nlohmann::json raw_;
  std::string where_, path_;  ///< file, and the keys that lead here ("rope_scaling.")
};

}  // namespace kvmend
