#include "experiment/store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "core/error.h"
#include "experiment/store/impl.h"
#include "experiment/store/schema.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& store, const char* suffix) { return store.string() + suffix; }

bool holds_something(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return !error && size > 0;
}

/// What changes whenever a transaction of a rollback-journal writer begins or ends.
struct FileState {
  off_t size = 0;
  timespec changed{};
  bool in_transaction = false;
  static FileState of(const fs::path& store) {
    struct stat info {};
    if (::stat(store.c_str(), &info) != 0)
      fail(ErrorKind::data, "{}: cannot be read: {}", store.string(), std::strerror(errno));
    return {info.st_size, info.st_mtim, holds_something(beside(store, "-journal"))};
  }
  bool operator==(const FileState& other) const {
    return size == other.size && changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec &&
           in_transaction == other.in_transaction;
  }
};

fs::path temporary_name() {
  std::string name = (fs::temp_directory_path() / "kvmend-snapshot-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) fail(ErrorKind::data, "{}: cannot write: {}", name, std::strerror(errno));
  ::close(fd);
  return name;
}

/// A consistent copy of a store that is being written on a network file system: between two transactions.
fs::path copy_snapshot(const fs::path& store) {
  const fs::path copy = temporary_name();
  for (int attempt = 0; attempt < 200; ++attempt) {
    const FileState before = FileState::of(store);
    if (!before.in_transaction) {
      std::error_code error;
      fs::copy_file(store, copy, fs::copy_options::overwrite_existing, error);
      if (error) {
        fs::remove(copy);
        fail(ErrorKind::data, "{}: cannot be copied to {}: {}", store.string(), copy.string(), error.message());
      }
      if (FileState::of(store) == before) return copy;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  fs::remove(copy);
  fail(ErrorKind::data, "{}: is written without a pause; try again later", store.string());
}

bool folder_writable(const fs::path& store) {
  const fs::path folder = store.has_parent_path() ? store.parent_path() : fs::path(".");
  return ::eaccess(folder.c_str(), W_OK) == 0;
}

/// The first bytes, before SQLite gets to see the file: a friendlier word than its own.
void check_header(const fs::path& path, bool may_be_empty) {
  if (!fs::exists(path)) fail(ErrorKind::data, "{}: no such store", path.string());
  if (!fs::is_regular_file(path)) fail(ErrorKind::data, "{}: is no kvmend store (not a file)", path.string());
  char head[16] = {};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(ErrorKind::data, "{}: cannot be read: {}", path.string(), std::strerror(errno));
  const ssize_t n = ::read(fd, head, sizeof head);
  ::close(fd);
  if (n == 0 && may_be_empty) return;
  if (n == 0) fail(ErrorKind::data, "{}: is empty, no kvmend store", path.string());
  if (n != sizeof head || std::string_view(head, 15) != "SQLite format 3") {
    fail(ErrorKind::data, "{}: is no kvmend store (not an SQLite database)", path.string());
  }
}

Database open_for_reading(const fs::path& path) {
  if (folder_writable(path) && ::eaccess(path.c_str(), W_OK) == 0) return {path, Database::Access::recover};
  if (holds_something(beside(path, "-wal")) || holds_something(beside(path, "-journal"))) {
    return {path, Database::Access::read};  // SQLite says if it cannot
  }
  return {path, Database::Access::immutable};
}

/// The journal that the file system can bear. Local: readers read beside the writer. Network: shared memory does not
/// work there, so the writer keeps the file to itself and an empty journal marks the pauses between transactions.
void set_journal(Database& db, bool network) {
  if (network) {
    db.execute("PRAGMA locking_mode = EXCLUSIVE");
    db.text("PRAGMA journal_mode = TRUNCATE");
    db.execute("PRAGMA synchronous = FULL");
  } else {
    db.text("PRAGMA journal_mode = WAL");
    db.execute("PRAGMA synchronous = NORMAL");
  }
  db.execute("PRAGMA foreign_keys = ON");
}

}  // namespace

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

const fs::path& Store::path() const { return impl_->path; }
Database& Store::database() { return *impl_->db; }

Store::Impl::~Impl() {
  if (db && mode == Mode::write) {
    try {  // one file again, readable from read-only media; with readers about, the last one to close does it
      sqlite3_busy_timeout(db->handle(), 0);
      db->text("PRAGMA journal_mode = DELETE");
    } catch (const Error&) {
    }
  }
  db.reset();
  std::error_code ignored;
  if (!snapshot.empty()) fs::remove(snapshot, ignored);
}

std::int64_t Store::Impl::cell_id(const std::string& key) {
  const auto known = cell_ids.find(key);
  if (known != cell_ids.end()) return known->second;
  Statement find = db->prepare("SELECT cell FROM cells WHERE key = ?");
  require(find.bind(key).step(), "{}: cell {} was not added", path.string(), key);
  return cell_ids[key] = find.integer(0);
}

Store Store::open(const fs::path& path, Mode mode, StoreOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->mode = mode;
  const bool network = options.network ? *options.network : is_network_filesystem(path);
  if (mode == Mode::write) {
    std::error_code ignored;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
    if (fs::exists(path)) check_header(path, true);
    impl->lock.emplace(path);
    if (fs::exists(path) && ::eaccess(path.c_str(), W_OK) != 0) {
      fail(ErrorKind::data, "{}: cannot be written: the file is read-only", path.string());
    }
    const bool fresh = !holds_something(path);
    impl->db.emplace(path, Database::Access::write);
    if (!fresh) check_store_schema(*impl->db);
    set_journal(*impl->db, network);
    if (fresh)
      create_store_schema(*impl->db);
    else
      migrate_store_schema(*impl->db);
  } else {
    check_header(path, false);
    if (network && WriterLock::is_held(path)) impl->snapshot = copy_snapshot(path);
    if (impl->snapshot.empty()) {
      impl->db.emplace(open_for_reading(path));
    } else {
      impl->db.emplace(impl->snapshot, Database::Access::immutable);
    }
    check_store_schema(*impl->db);
  }
  return Store(std::move(impl));
}

}  // namespace kvmend
