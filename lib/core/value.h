#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kvmend {

/// Where a value was written. `file` is empty for values made by the program.
struct Location {
  std::string file;
  int line = 0;    ///< 1-based; 0 if unknown
  int column = 0;  ///< 1-based
  /// "file:line:column: " or "" when nothing is known: the start of every error message about a value.
  std::string prefix() const;
};

/// A parsed config value (YAML or JSON) that remembers where it stood. std types only: plugins see it.
class Value {
 public:
  using List = std::vector<Value>;
  struct Entry;
  using Map = std::vector<Entry>;  ///< in the order written; keys are unique

  Value() = default;
  // Values convert; defined below, where Entry is complete.
  Value(bool b);          // NOLINT
  Value(int i);           // NOLINT
  Value(std::int64_t i);  // NOLINT
  Value(double d);        // NOLINT
  Value(std::string s);   // NOLINT
  Value(const char* s);   // NOLINT
  Value(List l);          // NOLINT
  Value(Map m);           // NOLINT

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_list() const { return std::holds_alternative<List>(data_); }
  bool is_map() const { return std::holds_alternative<Map>(data_); }

  // Each throws Error(usage) naming the place, the type expected and the value found.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_number() const;  ///< an int converts
  const std::string& as_string() const;
  const List& as_list() const;
  const Map& as_map() const;
  List& list() { return std::get<List>(data_); }
  Map& map() { return std::get<Map>(data_); }

  /// The entry's value, or null if this is no map or has no such key.
  const Value* find(std::string_view key) const;
  /// Adds or replaces an entry; turns a null into a map first.
  void set(std::string key, Value value);
  void erase(std::string_view key);

  /// "a bool", "an integer", "a list" …, for messages.
  std::string_view type_name() const;
  /// Canonical JSON: keys sorted, shortest round-trip numbers. What cell keys hash.
  std::string canonical() const;
  /// One-line YAML flow in the order written, as a user would type it: `{fusion: max}`.
  std::string flow() const;

  Location where;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
};

struct Value::Entry {
  std::string key;
  Location where;  ///< of the key
  Value value;
};

inline Value::Value(bool b) : data_(b) {}
inline Value::Value(int i) : data_(static_cast<std::int64_t>(i)) {}
inline Value::Value(std::int64_t i) : data_(i) {}
inline Value::Value(double d) : data_(d) {}
inline Value::Value(std::string s) : data_(std::move(s)) {}
inline Value::Value(const char* s) : data_(std::string(s)) {}
inline Value::Value(List l) : data_(std::move(l)) {}
inline Value::Value(Map m) : data_(std::move(m)) {}

/// Shortest decimal text that reads back as the same double ("0.1", "1e-05", "3").
std::string format_number(double value);
/// The number that all of a text is; nullopt: it is none.
std::optional<double> parse_number(std::string_view text);

}  // namespace kvmend
