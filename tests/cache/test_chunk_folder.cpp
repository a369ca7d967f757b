#include "cache/chunk_folder.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>

#include "catch.h"
#include "sample_chunks.h"

using namespace kvmend;
using namespace kvmend::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t plenty = 1LL << 30;
const std::int64_t one_file = chunk_file_bytes({DType::f32, 2, 3, 4});

struct Watched {
  TempFolder temp;
  std::vector<std::string> said;
  ChunkFolder open(std::int64_t limit = plenty) {
    return {temp.path() / "chunks", limit, [this](const std::string& message) { said.push_back(message); }};
  }
  std::int64_t files() const { return std::distance(fs::directory_iterator(temp.path() / "chunks"), {}); }
};

void make_older(const fs::path& path, std::chrono::hours age) {
  fs::last_write_time(path, fs::last_write_time(path) - age);
}

}  // namespace

TEST_CASE("a folder gives back what it was given, also to the next process") {
  Watched watched;
  CHECK(watched.open().write(digest_of(1), host_chunk(1)));
  auto folder = watched.open();
  const auto found = folder.read(digest_of(1), false);
  REQUIRE(found);
  CHECK(same(*found, host_chunk(1)));
  CHECK_FALSE(folder.read(digest_of(2), false));
  CHECK(folder.bytes_read() == one_file);
  CHECK(watched.said.empty());
}

TEST_CASE("a bad file is said once, counted, and replaced") {
  Watched watched;
  auto folder = watched.open();
  folder.write(digest_of(1), host_chunk(1));
  std::ofstream(folder.file_of(digest_of(1)), std::ios::trunc) << "rubbish";
  CHECK_FALSE(folder.read(digest_of(1), false));
  CHECK_FALSE(folder.read(digest_of(1), false));
  REQUIRE(watched.said.size() == 1);
  CHECK(watched.said[0].find(folder.file_of(digest_of(1)).string()) == 0);
  CHECK(watched.said[0].find("prefilled again") != std::string::npos);
  CHECK(folder.rejected() == 2);
  CHECK(folder.write(digest_of(1), host_chunk(1)));
  CHECK(folder.read(digest_of(1), false));
}

TEST_CASE("a file of another key under this key's name is not served") {
  Watched watched;
  auto folder = watched.open();
  folder.write(digest_of(1), host_chunk(1));
  fs::copy_file(folder.file_of(digest_of(1)), folder.file_of(digest_of(2)));
  CHECK_FALSE(folder.read(digest_of(2), false));
  REQUIRE(watched.said.size() == 1);
  CHECK(watched.said[0].find("another key") != std::string::npos);
}

TEST_CASE("over the limit the files used longest ago go") {
  Watched watched;
  auto folder = watched.open(3 * one_file);
  for (const int i : {1, 2, 3}) {
    folder.write(digest_of(i), host_chunk(i));
    make_older(folder.file_of(digest_of(i)), std::chrono::hours(10 - i));
  }
  CHECK(folder.read(digest_of(1), false));  // used now: 2 is the oldest
  folder.write(digest_of(4), host_chunk(4));
  CHECK(watched.files() == 3);
  CHECK(folder.evicted() == 1);
  CHECK_FALSE(fs::exists(folder.file_of(digest_of(2))));
  for (const int i : {1, 3, 4}) CHECK(fs::exists(folder.file_of(digest_of(i))));
}

TEST_CASE("the limit holds over what another process left") {
  Watched watched;
  auto first = watched.open();
  for (int i = 0; i < 20; ++i) first.write(digest_of(i), host_chunk(i));
  auto second = watched.open(5 * one_file);
  second.write(digest_of(100), host_chunk(100));
  CHECK(watched.files() == 5);
  CHECK(fs::exists(second.file_of(digest_of(100))));
}

TEST_CASE("a chunk larger than the limit is not written and said once") {
  Watched watched;
  auto folder = watched.open(one_file - 1);
  CHECK_FALSE(folder.write(digest_of(1), host_chunk(1)));
  CHECK_FALSE(folder.write(digest_of(2), host_chunk(2)));
  CHECK(watched.said.size() == 1);
  CHECK_FALSE(fs::exists(folder.file_of(digest_of(1))));
}

TEST_CASE("files that are not ours stay; a killed writer's temporary goes") {
  Watched watched;
  auto folder = watched.open(one_file);
  folder.write(digest_of(1), host_chunk(1));
  const fs::path notes = watched.temp.path() / "chunks" / "notes.txt";
  std::ofstream(notes) << std::string(10000, 'x');
  fs::path old_temp = folder.file_of(digest_of(5)), new_temp = folder.file_of(digest_of(6));
  old_temp += ".abcdef";
  new_temp += ".abcdef";
  std::ofstream(old_temp) << "x";
  std::ofstream(new_temp) << "x";
  make_older(old_temp, std::chrono::hours(2));
  folder.write(digest_of(2), host_chunk(2));
  CHECK(fs::exists(notes));
  CHECK(fs::exists(new_temp));
  CHECK_FALSE(fs::exists(old_temp));
  CHECK_FALSE(fs::exists(folder.file_of(digest_of(1))));
}

TEST_CASE("a folder that cannot be written is said once; reading goes on") {
  Watched watched;
  std::ofstream(watched.temp.path() / "chunks") << "a file where the folder should be";
  auto folder = watched.open();
  CHECK_FALSE(folder.write(digest_of(1), host_chunk(1)));
  CHECK_FALSE(folder.write(digest_of(2), host_chunk(2)));
  CHECK_FALSE(folder.read(digest_of(1), false));
  REQUIRE(watched.said.size() == 1);
  CHECK(watched.said[0].find("the run goes on") != std::string::npos);
}

TEST_CASE("a full disk is said once and leaves nothing half-written") {
  Watched watched;
  auto folder = watched.open();
  REQUIRE(folder.write(digest_of(1), host_chunk(1)));
  // A limit on file sizes stops a write in its middle, as a full disk does.
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 200;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const bool written = folder.write(digest_of(2), host_chunk(2));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK_FALSE(written);
  CHECK(watched.said.size() == 1);
  CHECK(watched.files() == 1);
  CHECK(folder.read(digest_of(1), false));
}

TEST_CASE("processes that write and read one key at once never see half of it") {
  Watched watched;
  const HostChunk chunk = host_chunk(1, {DType::f32, 4, 64, 32});
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      bool good = true;
      auto folder = watched.open();
      for (int i = 0; i < 50; ++i) {
        if (child % 2 == 0) good = folder.write(digest_of(1), chunk) && good;
        const auto found = folder.read(digest_of(1), i % 2 == 1);
        if (found) good = same(*found, chunk) && good;
      }
      ::_exit(good && folder.rejected() == 0 ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
  }
  CHECK(watched.files() == 1);
}
