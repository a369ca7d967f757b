// The lock of a store's one writer.
#include "experiment/store/lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "catch.h"
#include "core/error.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

/// The kind and the message of a lock that is refused.
std::pair<ErrorKind, std::string> refusal(const std::filesystem::path& store) {
  try {
    const WriterLock lock(store);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::internal, "not refused"};
}

}  // namespace

TEST_CASE("one writer holds a store, and another is told who") {
  const TempFolder folder;
  const auto store = folder / "a.kvmend";
  CHECK_FALSE(WriterLock::is_held(store));
  {
    const WriterLock lock(store);
    CHECK(WriterLock::is_held(store));
    CHECK_FALSE(WriterLock::is_held(folder / "b.kvmend"));
    const auto [kind, message] = refusal(store);
    CHECK(kind == ErrorKind::usage);
    CHECK_THAT(message, Catch::StartsWith(store.string() + ": process " + std::to_string(::getpid()) + " on ") &&
                            Catch::Contains("writes this store already"));
    CHECK(WriterLock::is_held(store));  // being asked for it takes nothing from who has it
  }
  CHECK_FALSE(WriterLock::is_held(store));
  CHECK(std::filesystem::is_empty(folder.path()));  // neither lock file nor store
  CHECK_NOTHROW(WriterLock(store));
}

TEST_CASE("a lock that moves is held until its new owner ends") {
  const TempFolder folder;
  const auto a = folder / "a.kvmend", b = folder / "b.kvmend";
  std::optional<WriterLock> first(a);
  WriterLock second(std::move(*first));
  first.reset();
  CHECK(WriterLock::is_held(a));
  second = WriterLock(b);
  CHECK_FALSE(WriterLock::is_held(a));
  CHECK(WriterLock::is_held(b));
}

TEST_CASE("a writer that was killed leaves a file and no lock") {
  const TempFolder folder;
  const auto store = folder / "a.kvmend", file = folder / "a.kvmend-writer";
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const WriterLock lock(store);
    [[maybe_unused]] const auto told = ::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ::close(ready[1]);
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  CHECK(WriterLock::is_held(store));
  CHECK_THAT(refusal(store).second, Catch::Contains("process " + std::to_string(child) + " on "));
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(std::filesystem::exists(file));
  CHECK_FALSE(WriterLock::is_held(store));
  const WriterLock lock(store);
  CHECK_THAT(refusal(store).second, Catch::Contains("process " + std::to_string(::getpid()) + " on "));
}

TEST_CASE("a lock that cannot be made is an error of the data, by the store's name") {
  const TempFolder folder;
  const auto [kind, message] = refusal(folder / "no/such/folder/a.kvmend");
  CHECK(kind == ErrorKind::data);
  CHECK_THAT(message, Catch::Contains("no/such/folder/a.kvmend: cannot make its lock file: "));
}
