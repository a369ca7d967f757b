// jieba's files: a dictionary of plain lines, and tables that are Python source: P={'B': {'\u4e00': -3.65, …}, …}.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "eval/jieba.h"
#include "eval/text.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

/// Reads the nested dictionaries of one file; every failure names its line.
class TableReader {
 public:
  TableReader(const std::string& text, const fs::path& path) : text_(text), path_(path) {
    at_ = text_.find("P=");
    if (at_ == std::string::npos) at_ = text_.size();
    at_ = std::min(at_ + 2, text_.size());
  }

  /// Calls `entry(key)` in front of every value of a {key: value, …}.
  template <class F>
  void map(F entry) {
    expect('{');
    while (!take('}')) {
      const char32_t key = read_key();
      expect(':');
      entry(key);
      if (!take(',')) {
        expect('}');
        return;
      }
    }
  }

  double number() {
    skip_space();
    double value = 0;
    const auto [stop, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) refuse("expected a number");
    at_ = static_cast<std::size_t>(stop - text_.data());
    return value;
  }

  [[noreturn]] void refuse(const char* what) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    fail(ErrorKind::data, "{}:{}: {}; not a table of jieba's?", path_.string(), line, what);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  bool take(char c) {
    skip_space();
    const bool there = at_ < text_.size() && text_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }
  void expect(char c) {
    if (!take(c)) refuse((std::string("expected ") + c).c_str());
  }

  /// 'B', '\u4e00' or the character itself.
  char32_t read_key() {
    expect('\'');
    const std::size_t stop = std::min(text_.find('\'', at_), text_.size());
    const std::string_view inside = std::string_view(text_).substr(at_, stop - at_);
    at_ = stop;
    expect('\'');
    if (inside.starts_with("\\u")) {
      std::uint32_t code = 0;
      const auto [last, error] = std::from_chars(inside.data() + 2, inside.data() + inside.size(), code, 16);
      if (error != std::errc() || last != inside.data() + inside.size()) refuse("a key is no character");
      return code;
    }
    const std::u32string key = decode_utf8(inside);
    if (key.size() != 1) refuse("a key is no character");
    return key[0];
  }

  const std::string& text_;
  const fs::path& path_;
  std::size_t at_ = 0;
};

template <class F>
void read_table(const fs::path& folder, const char* name, F read) {
  fs::path path = folder / name;
  if (!path_exists(path)) path = folder / "finalseg" / name;
  const std::string text = read_file(path);
  TableReader reader(text, path);
  read(reader);
}

}  // namespace

void Jieba::read_dictionary(const fs::path& path) {
  const std::string text = read_file(path);
  std::int64_t total = 0;
  int line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, stop - at);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    at = stop + 1;
    ++line_number;
    const std::size_t space = line.find(' ');
    std::int64_t count = 0;
    const std::string_view digits =
        space == std::string_view::npos ? "" : line.substr(space + 1, line.find(' ', space + 1) - space - 1);
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (space == 0 || error != std::errc() || last != digits.data() + digits.size() || count < 0) {
      fail(ErrorKind::data, "{}:{}: expected 'word frequency tag'", path.string(), line_number);
    }
    const std::u32string word = decode_utf8(line.substr(0, space));
    words_[word] = count;
    total += count;
    for (std::size_t length = 1; length < word.size(); ++length) words_.try_emplace(word.substr(0, length), 0);
  }
  if (total == 0) fail(ErrorKind::data, "{}: no words in it", path.string());
  log_total_ = std::log(static_cast<double>(total));
}

void Jieba::read_tables(const fs::path& folder) {
  const auto state_of = [](char32_t letter, const TableReader& reader) -> std::size_t {
    const std::size_t state = std::u32string_view(U"BEMS").find(letter);
    if (state == std::u32string_view::npos) reader.refuse("a state is none of B, E, M, S");
    return state;
  };
  for (auto& row : step_) row.fill(never);
  read_table(folder, "prob_start.py", [&](TableReader& reader) {
    reader.map([&](char32_t letter) { start_[state_of(letter, reader)] = reader.number(); });
  });
  read_table(folder, "prob_trans.py", [&](TableReader& reader) {
    reader.map([&](char32_t from) {
      auto& row = step_[state_of(from, reader)];
      reader.map([&](char32_t to) { row[state_of(to, reader)] = reader.number(); });
    });
  });
  read_table(folder, "prob_emit.py", [&](TableReader& reader) {
    reader.map([&](char32_t state) {
      auto& row = emit_[state_of(state, reader)];
      reader.map([&](char32_t c) { row[c] = reader.number(); });
    });
  });
}

}  // namespace kvmend
