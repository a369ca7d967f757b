#pragma once
// Parameters declared once, beside the thing they belong to. A params struct has
//   template <class V> static void fields(Params& p, V& v) { v("window", p.window, "tokens a group spans", at_least(1)); }
// and from that come parsing, validation, help, listing and the canonical config. std types only: plugins see it.
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// Specialise for each enum that is a parameter: `static constexpr std::array names{std::pair{E::a, "a"}, …};`
template <class E>
struct EnumNames;

template <class E>
std::string_view enum_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::names) {
    if (candidate == value) return name;
  }
  return "?";
}

/// The closed interval that a numeric parameter must lie in.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};
inline Range at_least(double low) { return {low, std::numeric_limits<double>::infinity()}; }
inline Range between(double low, double high) { return {low, high}; }

/// A parameter as `list` and help show it, and as the sweep's axis expansion needs it.
struct ParamInfo {
  std::string name;
  std::string type;           ///< "int", "number", "bool", "string", "one of a|b", "list of int" …
  std::string default_value;  ///< YAML flow
  std::string help;
  bool is_list = false;  ///< the type itself is a list: a plain list is a value, not an axis
};

/// Errors found while reading parameters, all reported at once.
struct ParamErrors {
  std::vector<std::string> messages;
  void add(const Location& where, std::string text) { messages.push_back(where.prefix() + std::move(text)); }
};

namespace params_detail {

std::string unknown_key(const Value::Entry& entry, const std::vector<std::string>& known);
std::string out_of_range(std::string_view name, double value, const Range& range);
std::string bad_choice(std::string_view text, const std::vector<std::string>& choices);

template <class T>
struct Codec;

template <>
struct Codec<bool> {
  static std::string type() { return "bool"; }
  static bool parse(const Value& v) { return v.as_bool(); }
  static Value print(bool b) { return b; }
};
template <class T>
requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) struct Codec<T> {
  static std::string type() { return "int"; }
  static T parse(const Value& v) {
    const std::int64_t i = v.as_int();
    if (i < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
        static_cast<std::uint64_t>(i < 0 ? 0 : i) > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
      throw std::out_of_range(std::to_string(i) + " does not fit");
    }
    return static_cast<T>(i);
  }
  static Value print(T i) { return static_cast<std::int64_t>(i); }
};
template <class T>
requires std::is_floating_point_v<T>
struct Codec<T> {
  static std::string type() { return "number"; }
  static T parse(const Value& v) { return static_cast<T>(v.as_number()); }
  static Value print(T d) { return static_cast<double>(d); }
};
template <>
struct Codec<std::string> {
  static std::string type() { return "string"; }
  static std::string parse(const Value& v) { return v.as_string(); }
  static Value print(const std::string& s) { return s; }
};
/// A strategy inside a strategy: a name, or a map of a name to its parameters.
template <>
struct Codec<Value> {
  static std::string type() { return "strategy"; }
  static Value parse(const Value& v) { return v; }
  static Value print(const Value& v) { return v; }
};
template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static std::vector<std::string> choices() {
    std::vector<std::string> out;
    for (const auto& [value, name] : EnumNames<E>::names) out.emplace_back(name);
    return out;
  }
  static std::string type() {
    std::string out = "one of ";
    for (const auto& [value, name] : EnumNames<E>::names)
      out += std::string(out.back() == ' ' ? "" : "|") + std::string(name);
    return out;
  }
  static E parse(const Value& v) {
    for (const auto& [value, name] : EnumNames<E>::names) {
      if (v.as_string() == name) return value;
    }
    throw std::invalid_argument(bad_choice(v.as_string(), choices()));
  }
  static Value print(E e) { return std::string(enum_name(e)); }
};
template <class T>
struct Codec<std::optional<T>> {
  static std::string type() { return Codec<T>::type(); }
  static std::optional<T> parse(const Value& v) {
    if (v.is_null()) return std::nullopt;
    return Codec<T>::parse(v);
  }
  static Value print(const std::optional<T>& o) { return o ? Codec<T>::print(*o) : Value(); }
};
template <class T>
struct Codec<std::vector<T>> {
  static std::string type() { return "list of " + Codec<T>::type(); }
  static std::vector<T> parse(const Value& v) {
    std::vector<T> out;
    for (const auto& item : v.as_list()) out.push_back(Codec<T>::parse(item));
    return out;
  }
  static Value print(const std::vector<T>& list) {
    Value::List out;
    for (const auto& item : list) out.push_back(Codec<T>::print(item));
    return out;
  }
};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

template <class T>
std::optional<double> numeric(const T& value) {
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) return static_cast<double>(value);
  return std::nullopt;
}
template <class T>
std::optional<double> numeric(const std::optional<T>& value) {
  return value ? numeric(*value) : std::nullopt;
}

struct Reader {
  const Value& source;
  ParamErrors& errors;
  std::vector<std::string> known{};

  template <class T>
  void operator()(std::string_view name, T& field, std::string_view, Range range = {}) {
    known.emplace_back(name);
    const Value* v = source.find(name);
    if (!v) return;
    try {
      T value = Codec<T>::parse(*v);
      const auto number = numeric(value);
      if (number && !(*number >= range.low && *number <= range.high))
        errors.add(v->where, out_of_range(name, *number, range));
      else
        field = std::move(value);
    } catch (const std::runtime_error& error) {  // our Error: carries its place
      errors.messages.emplace_back(error.what());
    } catch (const std::exception& error) {
      errors.add(v->where, std::string(name) + ": " + error.what());
    }
  }
};

struct Printer {
  Value out{Value::Map{}};
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view, Range = {}) {
    out.set(std::string(name), Codec<T>::print(field));
  }
};

struct Lister {
  std::vector<ParamInfo> out{};
  template <class T>
  void operator()(std::string_view name, T& field, std::string_view help, Range = {}) {
    out.push_back(
        {std::string(name), Codec<T>::type(), Codec<T>::print(field).flow(), std::string(help), is_vector<T>});
  }
};

}  // namespace params_detail

/// Fills `params` from a map (or null: all defaults). Unknown keys, wrong types and values out of range are
/// added to `errors` with their place; fields in error keep their default.
template <class P>
void read_params(P& params, const Value& source, ParamErrors& errors) {
  params_detail::Reader reader{source, errors};
  P::fields(params, reader);
  if (source.is_null()) return;
  if (!source.is_map()) {
    errors.add(source.where, "expected a map of parameters, found " + std::string(source.type_name()));
    return;
  }
  for (const auto& entry : source.as_map()) {
    bool found = false;
    for (const auto& name : reader.known) found = found || name == entry.key;
    if (!found) errors.add(entry.where, params_detail::unknown_key(entry, reader.known));
  }
}

/// Every field with its value: the canonical form that cell keys hash.
template <class P>
Value print_params(P params) {
  params_detail::Printer printer;
  P::fields(params, printer);
  return printer.out;
}

template <class P>
std::vector<ParamInfo> list_params() {
  P defaults;
  params_detail::Lister lister;
  P::fields(defaults, lister);
  return lister.out;
}

}  // namespace kvmend
