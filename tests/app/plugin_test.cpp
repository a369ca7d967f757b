// Selectors outside the tree, through the whole program: loaded, listed, refused, failing and crashing in a sweep.
#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"
#include "core/hash.h"
#include "paths.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string plugin(const std::string& name) { return kvmend::binary_folder() + "/lib/test_plugins/" + name + ".so"; }

std::string config(const std::string& strategies) {
  return "name: p\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 2, seed: 1}\n"
         "max_new_tokens: 4\nchunker: {fixed: 128}\nratios: [0.1, 0.4]\nstrategies:\n" +
         strategies;
}

/// A copy of a plugin whose stamp says something else.
std::string restamped(const TempFolder& folder, const std::string& from, const std::string& to) {
  std::string content = kvmend::read_file(plugin("misbehaves"));
  const std::size_t at = content.find("kvmend plugin: ");
  REQUIRE(at != std::string::npos);
  const std::size_t field = content.find(from, at);
  REQUIRE(field < at + 100);
  return folder.write("other.so", content.replace(field, to.size(), to));
}

/// What the store says of the run's models and plugins, as JSON.
std::string models_of_run(const fs::path& store) {
  sqlite3* database = nullptr;
  sqlite3_stmt* row = nullptr;
  REQUIRE(sqlite3_open(store.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_prepare_v2(database, "SELECT models FROM runs", -1, &row, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(row) == SQLITE_ROW);
  std::string out = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
  sqlite3_finalize(row);
  sqlite3_close(database);
  return out;
}

ProgramResult list(const std::string& file) { return kvmend::test::kvmend({"list", "strategies", "--plugin", file}); }

}  // namespace

TEST_CASE("a plugin's strategies are listed with its file and their parameters") {
  const auto text = kvmend::test::kvmend({"list", "strategies", "test_throw", "--plugin", plugin("misbehaves")});
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("plugin: " + plugin("misbehaves")) && Contains("times (int, default 1): how often"));
  const auto json = nlohmann::json::parse(
      kvmend::test::kvmend({"list", "strategies", "--json", "--plugin", plugin("misbehaves")}).out);
  int theirs = 0;
  for (const auto& item : json) {
    theirs += item.contains("plugin");
    CHECK(item.contains("plugin") == item["name"].get<std::string>().starts_with("test_"));
  }
  CHECK(theirs == 3);
  CHECK(kvmend::test::kvmend({"list", "strategies", "test_throw"}).code == 2);
}

TEST_CASE("libraries that are no plugin, or one of another kvmend, are refused before their code runs") {
  const TempFolder folder;
  const auto refused = [](const std::string& file, const std::string& why) {
    const auto result = list(file);
    CHECK(result.code == 3);
    CHECK_THAT(result.err, Contains("--plugin " + file) && Contains(why));
  };
  refused("/nowhere.so", "no such file");
  refused(folder.write("text.so", "int main() {}\n"), "is no shared library");
  refused("/usr/bin/env", "is no kvmend plugin; its CMakeLists.txt must link kvmend::plugin");
  refused(restamped(folder, "version 0", "version 9"), "was built for kvmend 9.");
  refused(restamped(folder, "library libstdc++", "library libfancy+"), "was built for the standard library libfancy+");
  const std::string stamp = kvmend::read_file(plugin("misbehaves"));
  const std::size_t at = stamp.find("headers ", stamp.find("kvmend plugin: ")) + 8;
  const std::string hash = stamp.substr(at, 16);
  refused(restamped(folder, hash, std::string(16, '0')), "was built against other headers than those of this kvmend");
  std::string cut = stamp;
  cut.resize(cut.size() / 2);
  refused(folder.write("cut.so", cut), "was cut short");
}

TEST_CASE("run refuses a plugin of another version before anything is stored") {
  const TempFolder folder;
  folder.write("p.yaml", config("  - epic\n  - test_throw\n"));
  const std::string other = restamped(folder, "version 0", "version 9");
  const auto result = kvmend::test::kvmend({"run", "p.yaml", "-q", "--plugin", other}, folder.path());
  CHECK(result.code == 3);
  CHECK_THAT(result.err, Contains("--plugin " + other) && Contains("was built for kvmend 9."));
  CHECK_FALSE(fs::exists(folder.path() / "p.kvmend"));
}

TEST_CASE("a name that exists is refused") {
  const auto result = list(plugin("taken"));
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("a strategy 'epic' exists already (built in)"));
  const auto twice = kvmend::test::kvmend(
      {"list", "strategies", "test_throw", "--plugin", plugin("misbehaves"), "--plugin", plugin("misbehaves")});
  CHECK(twice.code == 0);  // the same file: loaded once
  const TempFolder folder;
  const std::string copy = folder.write("copy.so", kvmend::read_file(plugin("misbehaves")) + "\n");
  const auto both = kvmend::test::kvmend({"list", "strategies", "--plugin", plugin("misbehaves"), "--plugin", copy});
  CHECK(both.code == 2);
  CHECK_THAT(both.err, Contains("exists already (" + plugin("misbehaves") + ")"));
}

TEST_CASE("a plugin's parameters and model are checked before a sweep starts, with their place") {
  const TempFolder folder;
  const auto run = [&](const std::string& strategies) {
    folder.write("p.yaml", config(strategies));
    auto result = kvmend::test::kvmend({"run", "p.yaml", "-q", "--plugin", plugin("misbehaves")}, folder.path());
    CHECK_FALSE(fs::exists(folder.path() / "p.kvmend"));
    CHECK(result.code == 2);
    return result.err;
  };
  CHECK_THAT(run("  - test_throw: {times: 10}\n"), Contains("p.yaml:11:25: times is 10, must be between 1 and 9"));
  CHECK_THAT(run("  - test_throw: {tims: 1}\n"), Contains("p.yaml:11:18:") && Contains("did you mean 'times'?"));
  CHECK_THAT(run("  - test_picky\n"), Contains("p.yaml:11:5: test_picky: wants 99 layers"));
}

TEST_CASE(
    "a plugin's exceptions and crashes are errors of their cells; the others are computed; the store says who it was") {
  const TempFolder folder;
  folder.write("p.yaml", config("  - epic\n  - test_crash\n  - test_throw\n  - reuse\n"));
  const auto run = kvmend::test::kvmend({"run", "p.yaml", "--plugin", plugin("misbehaves")}, folder.path());
  INFO(run.err);
  CHECK(run.code == 5);
  CHECK_THAT(run.err, Contains("14 results computed") && Contains("8 results failed"));
  CHECK_THAT(run.err, Contains("test_throw at 0.1 on ruler/niah_single_1, sample niah_single_1-1-0: no idea today"));
  CHECK_THAT(run.err, Contains("test_crash at 0.4 on ruler/niah_single_1, sample niah_single_1-1-0: the worker died in "
                               "this cell: signal 11"));
  CHECK_THAT(run.err, !Contains("epic") && !Contains("not run"));
  CHECK_THAT(models_of_run(folder.path() / "p.kvmend"),
             Contains("\"plugins\":[{\"file\":\"" + plugin("misbehaves") + "\",\"sha256\":\"" +
                      kvmend::sha256_file(plugin("misbehaves")) + "\"") &&
                 Contains("\"test_crash\":3"));
  CHECK_THAT(models_of_run(folder.path() / "p.kvmend"),
             Contains("\"strategies\":{\"") && Contains("\"labels\":\"[P][C] first k tokens; "));
  // Another build of it is another strategy: its cells, and only these, are computed again.
  const std::string rebuilt = folder.write("rebuilt.so", kvmend::read_file(plugin("misbehaves")) + "\n");
  CHECK_THAT(kvmend::test::kvmend({"run", "p.yaml", "--plugin", rebuilt}, folder.path()).err,
             Contains("8 results computed, 6 were there"));
}
