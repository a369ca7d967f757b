#include "datasets/json_value.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.h"

namespace kvmend {
namespace {

using nlohmann::json;

/// A character iterator that leaves its position where the value builder can see it: nlohmann's parser events have none.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at = nullptr;
  const char** furthest = nullptr;

  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    *furthest = ++at;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

class Builder final : public nlohmann::json_sax<json> {
 public:
  Builder(std::string_view text, const std::string& name, int first_line)
      : text_(text), name_(name), line_(first_line), furthest_(text.data()) {}

  const char** furthest() { return &furthest_; }
  Value take() { return std::move(root_); }

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(static_cast<std::int64_t>(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      fail_here("{} does not fit 64 bits", value);
    }
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { fail_here("binary values are no JSON"); }

  bool start_object(std::size_t) override { return open(Value(Value::Map{})); }
  bool start_array(std::size_t) override { return open(Value(Value::List{})); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const Location where = place();
    if (open_.back().value.find(name)) fail(ErrorKind::data, "{}duplicate key '{}'", where.prefix(), name);
    open_.back().key = std::move(name);
    open_.back().key_where = where;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    std::string reason = error.what();
    if (const auto colon = reason.find(": "); colon != std::string::npos) reason = reason.substr(colon + 2);
    advance_to(std::min(text_.size(), position > 0 ? position - 1 : 0));
    fail(ErrorKind::data, "{}no valid JSON: {}", here().prefix(), reason);
  }

 private:
  /// A list or map that is not closed yet, and where it goes.
  struct Open {
    Value value;
    std::string key;
    Location key_where;
  };

  template <class... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) {
    const Location where = place();
    fail(ErrorKind::data, "{}{}", where.prefix(), fmt::format(format, std::forward<Args>(args)...));
  }

  Location here() const { return {name_, line_, static_cast<int>(at_ - line_begin_) + 1}; }

  void advance_to(std::size_t offset) {
    for (; at_ < offset; ++at_) {
      if (text_[at_] == '\n') {
        ++line_;
        line_begin_ = at_ + 1;
      }
    }
  }

  /// Where the token that this event is about begins: behind the last one, past separators and white space.
  Location place() {
    std::size_t begin = last_end_;
    while (begin < text_.size() && std::string_view(" \t\r\n,:]}").find(text_[begin]) != std::string_view::npos)
      ++begin;
    advance_to(begin);
    last_end_ = static_cast<std::size_t>(furthest_ - text_.data());
    return here();
  }

  bool add(Value value) {
    value.where = place();
    return put(std::move(value));
  }

  bool put(Value value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().value.is_list()) {
      open_.back().value.list().push_back(std::move(value));
    } else {
      Open& parent = open_.back();
      parent.value.map().push_back({std::move(parent.key), parent.key_where, std::move(value)});
    }
    return true;
  }

  bool open(Value value) {
    constexpr std::size_t deepest = 100;
    if (open_.size() >= deepest) fail_here("nested deeper than {} levels", deepest);
    value.where = place();
    open_.push_back({std::move(value), "", {}});
    return true;
  }

  bool close() {
    Value done = std::move(open_.back().value);
    open_.pop_back();
    last_end_ = static_cast<std::size_t>(furthest_ - text_.data());
    return put(std::move(done));
  }

  std::string_view text_;
  std::string name_;
  int line_;
  const char* furthest_;
  std::size_t at_ = 0, line_begin_ = 0;  ///< how far lines are counted
  std::size_t last_end_ = 0;             ///< how far the parser had read at the last event
  std::vector<Open> open_;
  Value root_;
};

}  // namespace

Value parse_json(std::string_view text, const std::string& name, int first_line) {
  Builder builder(text, name, first_line);
  const CountingIterator begin{text.data(), builder.furthest()};
  const CountingIterator end{text.data() + text.size(), builder.furthest()};
  json::sax_parse(begin, end, &builder);
  return builder.take();
}

}  // namespace kvmend
