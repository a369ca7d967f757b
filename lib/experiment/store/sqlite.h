#pragma once
// SQLite behind two small classes; errors become our Error with the file's name.
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kvmend {

class Statement;

/// A string's bytes, to be bound as a blob.
inline std::span<const std::byte> as_blob(const std::string& bytes) {
  return std::as_bytes(std::span<const char>(bytes.data(), bytes.size()));
}

/// An open database. Every failure throws Error(data) that names the file and says what to try (disk full, locked,
/// damaged, read-only, not a database).
class Database {
 public:
  /// recover: reads only, but may finish what a killed writer left; immutable: no locks, no side files.
  enum class Access : std::uint8_t { read, recover, write, immutable };
  Database(std::filesystem::path path, Access access);
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  /// Runs statements that return no rows we want.
  void execute(const std::string& sql);
  std::int64_t integer(const std::string& sql);  ///< the first column of the first row
  std::string text(const std::string& sql);
  Statement prepare(std::string_view sql);
  std::int64_t last_row_id() const;
  bool is_read_only() const;
  bool in_transaction() const;
  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() { return handle_; }
  [[noreturn]] void fail_now(std::string_view doing) const;

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement. Bind in order, then step; reset keeps nothing bound.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  template <class... Args>
  Statement& bind(const Args&... args) {
    reset();
    (bind_one(args), ...);
    return *this;
  }
  bool step();  ///< true: a row is there
  void run();   ///< to the end, then reset
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;  ///< "" for null
  std::optional<double> optional_real(int column) const;
  std::string blob(int column) const;

 private:
  void bind_one(std::nullptr_t);
  void bind_one(bool value) { bind_one(static_cast<std::int64_t>(value)); }
  void bind_one(int value) { bind_one(static_cast<std::int64_t>(value)); }
  void bind_one(std::int64_t value);
  void bind_one(double value);
  void bind_one(const std::string& value);
  void bind_one(const char* value) { bind_one(std::string(value)); }
  void bind_one(const std::optional<double>& value);
  void bind_one(std::span<const std::byte> value);
  void check(int status) const;

  Database* database_;
  sqlite3_stmt* statement_ = nullptr;
  int next_ = 1;
};

/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace kvmend
