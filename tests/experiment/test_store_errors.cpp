#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "core/error.h"
#include "experiment/store/schema.h"
#include "experiment/store/sqlite.h"
#include "experiment/store/store.h"
#include "experiment/table/data.h"
#include "synthetic.h"

using namespace kvmend;

namespace {

/// The message of opening `path`, whose kind must be data.
std::string error_of(const std::filesystem::path& path, Store::Mode mode) {
  try {
    Store::open(path, mode);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    CHECK_THAT(error.what(), Catch::Contains(path.string()));
    return error.what();
  }
  return "";
}

/// The effective user is nobody while this lives: root reads and writes whatever the permissions say.
class AsNobody {
 public:
  AsNobody() : root_(::geteuid() == 0) {
    if (root_ && ::seteuid(65534) != 0) root_ = false;
  }
  ~AsNobody() {
    if (root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool root_;
};

void allow(const std::filesystem::path& path, int mode) {
  std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
}

}  // namespace

TEST_CASE("files that are no store are refused in both modes, and left alone") {
  TempFolder folder;
  const auto text = folder.write("text.kvmend", "name: not a store, but a config\n");
  const auto empty = folder.write("empty.kvmend", "");
  const auto foreign = folder / "foreign.kvmend";
  {
    Database db(foreign, Database::Access::write);
    db.execute("CREATE TABLE t (x)");
  }
  const auto newer = folder / "newer.kvmend";
  const auto older = folder / "older.kvmend";
  { Store::open(newer, Store::Mode::write).database().execute("PRAGMA user_version = 99"); }
  { Store::open(older, Store::Mode::write).database().execute("PRAGMA user_version = 0"); }
  for (const auto mode : {Store::Mode::read, Store::Mode::write}) {
    CHECK_THAT(error_of(text, mode), Catch::Contains("is no kvmend store (not an SQLite database)"));
    CHECK_THAT(error_of(foreign, mode), Catch::Contains("another program's SQLite database"));
    CHECK_THAT(error_of(newer, mode),
               Catch::Contains("written by a newer kvmend (store format 99, this one reads 2 and 3)"));
    CHECK_THAT(error_of(older, mode), Catch::Contains("written by an older kvmend"));
    CHECK_THAT(error_of(folder.path(), mode), Catch::Contains("not a file"));
  }
  CHECK_THAT(error_of(folder / "none.kvmend", Store::Mode::read), Catch::Contains("no such store"));
  CHECK_THAT(error_of(empty, Store::Mode::read), Catch::Contains("is empty"));
  CHECK(std::filesystem::file_size(text) == 32);
  Database db(foreign, Database::Access::read);
  CHECK(db.integer("SELECT count(*) FROM sqlite_master") == 1);
}

TEST_CASE("what is no JSON of its column is refused by the column, in overlaps too") {
  for (const char* column : {"units", "evidence"}) {
    TempFolder folder;
    const auto path = folder / "a.kvmend";
    {
      Store store = Store::open(path, Store::Mode::write);
      fill_store(store, synthetic_config, 0, 1);
      store.database().execute("UPDATE samples SET " + std::string(column) + " = '[[1]]'");
    }
    CHECK_THROWS_WITH(load_table_data({path}, "prophetkv"),
                      Catch::Contains("column " + std::string(column) + " is damaged: [[1]]"));
  }
}

TEST_CASE("a damaged or truncated store is an error, not a crash") {
  TempFolder folder;
  const auto path = folder / "a.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    fill_store(store, synthetic_config, 0, 30);
  }
  const auto size = std::filesystem::file_size(path);
  for (const auto part : {size / 2, size - 4096, std::uintmax_t{4096}, std::uintmax_t{100}}) {
    CAPTURE(part);
    const auto copy = folder / "copy.kvmend";
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(copy, part);
    try {
      Store store = Store::open(copy, Store::Mode::read);
      store.cells();
      store.results();
      for (const auto& sample : store.samples()) store.sample(sample.id);
      FAIL("half a store was read");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
      CHECK_THAT(error.what(), Catch::Contains("copy.kvmend"));
    }
  }
}

TEST_CASE("a read-only store is read, and cannot be written") {
  TempFolder folder;
  const auto path = folder / "locked/a.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    fill_store(store, synthetic_config, 0, 1);
  }
  allow(folder.path(), 0755);
  allow(path, 0444);
  allow(path.parent_path(), 0555);
  {
    const AsNobody nobody;
    CHECK(Store::open(path, Store::Mode::read).samples().size() == 2);
    CHECK_THAT(error_of(path, Store::Mode::write), Catch::Contains("read-only"));
    CHECK_THAT(error_of(path.parent_path() / "new.kvmend", Store::Mode::write), Catch::Contains("read-only"));
  }
  allow(path.parent_path(), 0777);
  {
    const AsNobody nobody;
    CHECK_THAT(error_of(path, Store::Mode::write), Catch::Contains("the file is read-only"));
    CHECK(Store::open(path, Store::Mode::read).samples().size() == 2);
  }
  allow(path, 0000);
  {
    const AsNobody nobody;
    CHECK_THAT(error_of(path, Store::Mode::read), Catch::Contains("cannot be read"));
  }
}

TEST_CASE("a full disk is said, and every complete sample survives it") {
  // A limit on file size stands in for a full disk: writes past it fail with EFBIG instead of ENOSPC.
  for (const bool network : {false, true}) {
    CAPTURE(network);
    TempFolder folder;
    const auto path = folder / "a.kvmend";
    const auto note = folder / "note";
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{400'000, 400'000};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      std::string message = "no error";
      std::size_t stored = 0;
      try {
        Store store = Store::open(path, Store::Mode::write, {network});
        const SyntheticRun run = fill_store(store, synthetic_config, 0, 1);
        stored = 2;
        try {
          for (int i = 1; i < 100000; ++i, ++stored) {
            SampleRecord sample = synthetic_sample(run.cells[0], i);
            unsigned state = static_cast<unsigned>(i);  // text that does not compress: few samples fill the limit
            for (int c = 0; c < 8000; ++c)
              sample.text += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
            store.put_sample(run.run, sample, std::vector{synthetic_result(run.cells[0], i)});
          }
        } catch (const Error& error) {
          message = fmt::format("{} {}", error.exit_code(), error.what());
        }
        message += fmt::format("\nreadable {}", store.samples().size() == stored);
      } catch (const std::exception& error) {
        message = std::string("outside: ") + error.what();
      }
      folder.write("note", message);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::ifstream in(note);
    const std::string message((std::istreambuf_iterator<char>(in)), {});
    CHECK_THAT(message, Catch::StartsWith("3 " + path.string()) && Catch::Contains("disk full") &&
                            Catch::Contains("readable true"));
    Store store = Store::open(path, Store::Mode::write, {network});  // with room again
    CHECK(store.samples().size() > 4);
    CHECK(store.database().text("PRAGMA integrity_check") == "ok");
    CHECK(store.database().integer("SELECT count(*) FROM samples WHERE sample NOT IN (SELECT sample FROM results)") ==
          0);
  }
}

TEST_CASE("a really full file system gives the same word", "[mount]") {
  TempFolder folder;
  const auto disk = folder / "disk";
  std::filesystem::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=512k") != 0) {
    WARN("skipped: cannot mount a small file system here");
    return;
  }
  std::string message;
  std::size_t stored = 0, readable = 0;
  try {
    Store store = Store::open(disk / "a.kvmend", Store::Mode::write);
    const SyntheticRun run = fill_store(store, synthetic_config, 0, 1);
    stored = 2;
    try {
      for (int i = 1; i < 100000; ++i, ++stored) {
        store.put_sample(run.run, synthetic_sample(run.cells[0], i), std::vector{synthetic_result(run.cells[0], i)});
      }
    } catch (const Error& error) {
      message = error.what();
    }
    readable = store.samples().size();
  } catch (const Error& error) {
    message = std::string("outside: ") + error.what();
  }
  ::umount2(disk.c_str(), MNT_DETACH);
  CHECK_THAT(message, Catch::Contains("disk full"));
  CHECK(readable == stored);
}

TEST_CASE("a store with odd characters in its name opens") {
  TempFolder folder;
  const auto path = folder / "a ?mode=memory#100%.kvmend";
  {
    Store store = Store::open(path, Store::Mode::write);
    fill_store(store, synthetic_config, 0, 1);
  }
  CHECK(std::filesystem::exists(path));
  CHECK(Store::open(path, Store::Mode::read).samples().size() == 2);
}
