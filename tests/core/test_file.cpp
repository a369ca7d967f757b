#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

using namespace kvmend;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct TempFolder {
  fs::path path;
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "kvmend-core-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
};

std::ptrdiff_t files_in(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), {}); }

}  // namespace

TEST_CASE("a file written atomically reads back, in pieces or whole, in folders that are made") {
  const TempFolder temp;
  const fs::path path = temp.path / "a" / "b" / "file";
  write_file_atomically(path, "first");
  CHECK(read_file(path) == "first");
  write_file_atomically(path, {std::string_view("sec"), std::string_view(), std::string_view("ond\0x", 5)});
  CHECK(read_file(path) == std::string("second\0x", 8));
  write_file_atomically(path, "");
  CHECK(read_file(path).empty());
  CHECK(files_in(path.parent_path()) == 1);
}

TEST_CASE("a written file has the permissions that any new file gets") {
  const TempFolder temp;
  const mode_t before = ::umask(027);
  write_file_atomically(temp.path / "file", "x");
  ::umask(before);
  struct stat info {};
  REQUIRE(::stat((temp.path / "file").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
}

TEST_CASE("a write that fails names the file and leaves the old one and no temporary") {
  const TempFolder temp;
  fs::create_directory(temp.path / "target");
  std::ofstream(temp.path / "target" / "inside") << "x";
  CHECK_THROWS_WITH(write_file_atomically(temp.path / "target", "x"), Contains("target: cannot write: "));
  CHECK(files_in(temp.path) == 1);
  std::ofstream(temp.path / "file") << "old";
  CHECK_THROWS_WITH(write_file_atomically(temp.path / "file" / "below", "x"), Contains("below: cannot write: "));
  CHECK(read_file(temp.path / "file") == "old");
}

TEST_CASE("what cannot be read says so") {
  const TempFolder temp;
  CHECK_THROWS_WITH(read_file(temp.path / "none"), Contains("none: cannot open: No such file"));
  CHECK_THROWS_WITH(read_file(temp.path), Contains("not a regular file"));
  CHECK_THROWS_AS(sha256_file(temp.path / "none"), Error);
}

TEST_CASE("a map moves and outlives the file's name") {
  const TempFolder temp;
  write_file_atomically(temp.path / "file", "content");
  MappedFile first(temp.path / "file");
  fs::remove(temp.path / "file");
  MappedFile second = std::move(first);
  CHECK(second.bytes().size() == 7);
  CHECK(static_cast<char>(second.bytes()[0]) == 'c');
  CHECK(first.bytes().empty());  // NOLINT: moved from on purpose
}

TEST_CASE("SHA-256 is the published one") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("a file's hash follows its content, remembered or not, and needs no writable cache") {
  const TempFolder temp;
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string saved = before ? before : "";
  const fs::path path = temp.path / "weights";
  for (const fs::path& cache : {temp.path / "cache", path / "not-a-folder"}) {
    ::setenv("XDG_CACHE_HOME", cache.c_str(), 1);
    write_file_atomically(path, "abc");
    for (int i = 0; i < 2; ++i) CHECK(sha256_file(path) == sha256("abc"));
    write_file_atomically(path, "abd");  // same size, another inode and time
    CHECK(sha256_file(path) == sha256("abd"));
  }
  CHECK(fs::exists(temp.path / "cache" / "kvmend" / "hashes"));
  before ? ::setenv("XDG_CACHE_HOME", saved.c_str(), 1) : ::unsetenv("XDG_CACHE_HOME");
}

TEST_CASE("what cannot be read to its end has no hash, now or later") {
  const TempFolder temp;
  for (int i = 0; i < 2; ++i) {  // a hash that was remembered would be there the second time
    CHECK_THROWS_WITH(sha256_file(temp.path), Contains("cannot read: Is a directory"));
    CHECK_THROWS_WITH(sha256_file("/proc/self/mem"), Contains("/proc/self/mem: cannot read: "));
  }
}

TEST_CASE("a large file is hashed in pieces as it is whole") {
  const TempFolder temp;
  std::string content((1 << 20) + 77, 'x');
  for (std::size_t i = 0; i < content.size(); i += 97) content[i] = static_cast<char>(i);
  write_file_atomically(temp.path / "file", content);
  CHECK(sha256_file(temp.path / "file") == sha256(content));
}
