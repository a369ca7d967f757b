#include "experiment/store/sqlite.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace kvmend {
namespace {

/// A file name as SQLite's URI: what separates its parts is escaped.
std::string as_uri(const std::filesystem::path& path, std::string_view options) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
    } else {
      uri += c;
    }
  }
  return uri + std::string(options);
}

bool means_disk_full(int status, int system_error) {
  if ((status & 0xFF) == SQLITE_FULL) return true;
  const bool io = (status & 0xFF) == SQLITE_IOERR;
  return io && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG);
}

std::string explain(int status, int system_error, const char* message) {
  if (means_disk_full(status, system_error)) {
    return "disk full (or a size limit); everything up to the last complete sample is stored: make room and run again";
  }
  switch (status & 0xFF) {
    case SQLITE_NOTADB: return "is no kvmend store (not an SQLite database)";
    case SQLITE_CORRUPT: return "is damaged; `sqlite3 FILE .recover` may save its rows";
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return "is locked by another process; try again when that has ended";
    case SQLITE_READONLY: return "cannot be written: the file or its folder is read-only";
    case SQLITE_CANTOPEN:
      return system_error != 0 ? fmt::format("cannot be opened: {}", std::strerror(system_error)) : "cannot be opened";
    default: break;
  }
  if (system_error != 0) return fmt::format("{} ({})", message, std::strerror(system_error));
  return message;
}

/// The last error of one of the database's files, 0 if there was none.
int file_errno(sqlite3* db, int which) {
  sqlite3_file* file = nullptr;
  int error = 0;
  if (sqlite3_file_control(db, "main", which, &file) == SQLITE_OK && file && file->pMethods) {
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  return error;
}

/// errno of the failure: SQLite's own note of it is overwritten by the rollback that follows.
int system_error_of(sqlite3* db) {
  for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    if (const int error = file_errno(db, which); error != 0) return error;
  }
  return sqlite3_system_errno(db);
}

int access_flags(Database::Access access) {
  switch (access) {
    case Database::Access::write: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Database::Access::recover: return SQLITE_OPEN_READWRITE;
    case Database::Access::read:
    case Database::Access::immutable: break;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

Database::Database(std::filesystem::path path, Access access) : path_(std::move(path)) {
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | access_flags(access);
  const std::string uri = as_uri(path_, access == Access::immutable ? "?immutable=1" : "");
  const int status = sqlite3_open_v2(uri.c_str(), &handle_, flags, nullptr);
  if (status != SQLITE_OK) {
    const std::string why = explain(status, handle_ ? sqlite3_system_errno(handle_) : ENOMEM, sqlite3_errstr(status));
    sqlite3_close(handle_);
    handle_ = nullptr;
    fail(ErrorKind::data, "{}: {}", path_.string(), why);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, 10'000);
  if (access == Access::recover) execute("PRAGMA query_only = ON");
}

Database::~Database() { sqlite3_close(handle_); }

Database::Database(Database&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(handle_, other.handle_);
  return *this;
}

void Database::fail_now(std::string_view doing) const {
  const int status = sqlite3_extended_errcode(handle_);
  const std::string why = explain(status, system_error_of(handle_), sqlite3_errmsg(handle_));
  fail(ErrorKind::data, "{}: {}{}{}", path_.string(), doing, doing.empty() ? "" : ": ", why);
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail_now("");
}

std::int64_t Database::integer(const std::string& sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(const std::string& sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.text(0) : "";
}

Statement Database::prepare(std::string_view sql) { return {*this, sql}; }
std::int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::is_read_only() const { return sqlite3_db_readonly(handle_, "main") == 1; }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Statement::Statement(Database& database, std::string_view sql) : database_(&database) {
  check(sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}
Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), next_(other.next_) {}

void Statement::check(int status) const {
  if (status != SQLITE_OK) database_->fail_now("");
}

bool Statement::step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) database_->fail_now("");
  return false;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  next_ = 1;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

std::optional<double> Statement::optional_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

std::string Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

void Statement::bind_one(std::nullptr_t) { check(sqlite3_bind_null(statement_, next_++)); }
void Statement::bind_one(std::int64_t value) { check(sqlite3_bind_int64(statement_, next_++, value)); }
void Statement::bind_one(double value) { check(sqlite3_bind_double(statement_, next_++, value)); }
void Statement::bind_one(const std::string& value) {
  check(sqlite3_bind_text64(statement_, next_++, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}
void Statement::bind_one(const std::optional<double>& value) {
  if (value) {
    bind_one(*value);
  } else {
    bind_one(nullptr);
  }
}
void Statement::bind_one(std::span<const std::byte> value) {
  check(sqlite3_bind_blob64(statement_, next_++, value.data(), value.size(), SQLITE_TRANSIENT));
}

Transaction::Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!open_) return;
  try {  // some errors, a full disk among them, have rolled back already
    if (database_.in_transaction()) database_.execute("ROLLBACK");
  } catch (const Error&) {
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace kvmend
