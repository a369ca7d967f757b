#include "experiment/config/yaml_scalar.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/error.h"

namespace kvmend {
namespace {

template <std::size_t N>
bool one_of(std::string_view text, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

bool all_digits(std::string_view text, int base) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    if (base == 16) return std::isxdigit(static_cast<unsigned char>(c)) != 0;
    return c >= '0' && c < '0' + base;
  });
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  return text;
}

/// The core schema's float: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
  text = without_sign(text);
  const auto take_digits = [&] {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    text.remove_prefix(n);
    return n;
  };
  const std::size_t whole = take_digits();
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (take_digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  return all_digits(without_sign(text), 10);
}

Value integer(std::string_view text, std::string_view digits, int base, bool negative, const Location& where) {
  std::int64_t value = 0;
  const std::string signed_digits = fmt::format("{}{}", negative ? "-" : "", digits);
  const char* end = signed_digits.data() + signed_digits.size();
  if (std::from_chars(signed_digits.data(), end, value, base).ec != std::errc()) {
    fail(ErrorKind::usage, "{}the integer {} does not fit 64 bits; quote it if it is text", where.prefix(), text);
  }
  return value;
}

Value number(std::string_view text, const Location& where) {
  const std::string_view digits = text.front() == '+' ? text.substr(1) : text;
  double value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
    fail(ErrorKind::usage, "{}the number {} does not fit a double; quote it if it is text", where.prefix(), text);
  }
  return value;
}

}  // namespace

Value plain_scalar(std::string_view text, const Location& where) {
  static constexpr std::string_view nulls[] = {"", "~", "null", "Null", "NULL"};
  static constexpr std::string_view trues[] = {"true", "True", "TRUE"};
  static constexpr std::string_view falses[] = {"false", "False", "FALSE"};
  static constexpr std::string_view infinities[] = {".inf", ".Inf", ".INF"};
  static constexpr std::string_view nans[] = {".nan", ".NaN", ".NAN"};

  if (one_of(text, nulls)) return {};
  if (one_of(text, trues)) return true;
  if (one_of(text, falses)) return false;
  if (one_of(text, nans)) return std::numeric_limits<double>::quiet_NaN();
  const std::string_view bare = without_sign(text);
  const bool negative = text.front() == '-';
  if (one_of(bare, infinities))
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  if (all_digits(bare, 10)) return integer(text, bare, 10, negative, where);
  if (text.starts_with("0x") && all_digits(text.substr(2), 16)) return integer(text, text.substr(2), 16, false, where);
  if (text.starts_with("0o") && all_digits(text.substr(2), 8)) return integer(text, text.substr(2), 8, false, where);
  if (is_float(text)) return number(text, where);
  return std::string(text);
}

}  // namespace kvmend
