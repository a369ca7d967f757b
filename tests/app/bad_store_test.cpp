// Stores and outputs that cannot be written or read: the error is said, and what was there stays.
#include <unistd.h>

#include "app/bad_config.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("stores that cannot be made or read") {
  const TempFolder folder;
  folder.write("bad.yaml", bad_config(tiny_model("tiny-llama"), needle));
  const auto nowhere = kvmend::test::kvmend({"run", "bad.yaml", "-o", "/proc/no/s.kvmend"}, folder.path());
  CHECK(nowhere.code == 3);
  CHECK_THAT(nowhere.err, Contains("/proc/no"));
  folder.write("text.kvmend", "this is no store\n");
  for (const char* command : {"table", "export", "rescore"}) {
    const auto result = kvmend::test::kvmend({command, "text.kvmend"}, folder.path());
    CHECK(result.code == 3);
    CHECK_THAT(result.err, Contains("text.kvmend"));
  }
  CHECK(kvmend::test::kvmend({"run", "bad.yaml", "-o", "text.kvmend"}, folder.path()).code == 3);
  CHECK(kvmend::read_file(folder.path() / "text.kvmend") == "this is no store\n");
  CHECK(kvmend::test::kvmend({"table", "missing.kvmend"}, folder.path()).code == 3);
  CHECK_FALSE(fs::exists(folder.path() / "missing.kvmend"));
}

TEST_CASE("a store that may only be read is refused by run, as data, and left as it is") {
  const TempFolder folder;
  folder.write("bad.yaml", bad_config(tiny_model("tiny-llama"), needle));
  REQUIRE(kvmend::test::kvmend({"run", "bad.yaml", "-q", "--limit", "1"}, folder.path()).code == 0);
  fs::permissions(folder.path(), static_cast<fs::perms>(0777));
  fs::permissions(folder.path() / "bad.kvmend", static_cast<fs::perms>(0444));
  // Root may write whatever the permissions say.
  const bool root = ::geteuid() == 0;
  const std::string nobody = root ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  if (root && shell(folder, nobody + "sh -c \"$kvmend table bad.kvmend > /dev/null 2>&1 && test -r " +
                                tiny_model("tiny-llama") + "/config.json\"") != 0) {
    WARN("SKIPPED: another user than root cannot read this build");
    return;
  }
  const std::string before = kvmend::read_file(folder.path() / "bad.kvmend");
  CHECK(shell(folder, nobody + "$kvmend run bad.yaml -q > out 2> err") == 3);
  CHECK_THAT(kvmend::read_file(folder.path() / "err"),
             Contains("bad.kvmend: cannot be written: the file") && Contains("read-only"));
  CHECK(kvmend::read_file(folder.path() / "bad.kvmend") == before);
}

TEST_CASE("a disk that fills up while a sweep runs loses the sample in flight at most, and says so") {
  const TempFolder folder;
  folder.write("bad.yaml",
               bad_config(tiny_model("tiny-llama"), "ruler/niah_single_1: {length: 900, samples: 40, seed: 1}"));
  // A limit on file sizes stands for the full disk: SQLite's write fails as it would there.
  const int code = shell(folder, "trap '' XFSZ; ulimit -f 400; exec $kvmend run bad.yaml -q 2> err");
  CHECK(code == 3);
  CHECK_THAT(kvmend::read_file(folder.path() / "err"), Contains("bad.kvmend") && Contains("full"));
  const auto resumed = kvmend::test::kvmend({"run", "bad.yaml"}, folder.path());
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err, Contains("results computed") && !Contains(" 0 were there"));
  // The same in a merge: what was merged is whole, its source untouched, and merging again completes it.
  CHECK(shell(folder, "trap '' XFSZ; ulimit -f 400; exec $kvmend merge out.kvmend bad.kvmend 2> err") == 3);
  CHECK_THAT(kvmend::read_file(folder.path() / "err"), Contains("out.kvmend") && Contains("full"));
  CHECK(kvmend::test::kvmend({"merge", "out.kvmend", "bad.kvmend"}, folder.path()).code == 0);
  const auto rows = [&](const char* store) { return kvmend::test::kvmend({"export", store}, folder.path()).out; };
  CHECK(rows("out.kvmend") == rows("bad.kvmend"));
}

TEST_CASE("a reader that has seen enough is no error, a full disk behind stdout is one") {
  const TempFolder folder;
  CHECK(shell(folder, "$kvmend list strategies 2> err > /dev/full") == 3);
  CHECK_THAT(kvmend::read_file(folder.path() / "err"), Contains("standard output"));
  CHECK(shell(folder, "{ $kvmend list tasks 2> err; echo $? > code; } | true; sleep 0.1; exit $(cat code)") == 0);
  CHECK(kvmend::read_file(folder.path() / "err").empty());
}
