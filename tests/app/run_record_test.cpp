// What a store says about the run that filled it: from which program, by which command, with which models.
#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

namespace {

std::string column(const std::filesystem::path& store, const std::string& name) {
  sqlite3* database = nullptr;
  sqlite3_stmt* row = nullptr;
  REQUIRE(sqlite3_open(store.c_str(), &database) == SQLITE_OK);
  REQUIRE(sqlite3_prepare_v2(database, ("SELECT " + name + " FROM runs").c_str(), -1, &row, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(row) == SQLITE_ROW);
  std::string out = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
  sqlite3_finalize(row);
  sqlite3_close(database);
  return out;
}

}  // namespace

TEST_CASE("a run's record has the command as it can be pasted again, version and build apart, and auxiliary models") {
  const TempFolder folder;
  const std::string model = tiny_model("tiny-llama");
  folder.write("it's mine.yaml",
               "name: tiny\nmodel: " + model +
                   "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 9}\n"
                   "max_new_tokens: 2\nchunker: {fixed: 128}\nratios: [0.2]\n"
                   "strategies:\n  - cacheclip: {aux_model: " +
                   model + "}\n");
  const auto run = kvmend::test::kvmend({"run", "it's mine.yaml", "-q", "--set", "tasks.*.samples=2", "--device", "cpu",
                                         "--shard", "1/2", "-o", "a.kvmend"},
                                        folder.path());
  INFO(run.err);
  REQUIRE(run.code == 0);
  const auto store = folder.path() / "a.kvmend";
  CHECK(column(store, "command") ==
        "kvmend run 'it'\\''s mine.yaml' -q --set 'tasks.*.samples=2' --device cpu --shard 1/2 -o a.kvmend");
  const std::string version = column(store, "version"), build = column(store, "build");
  CHECK(version.find_first_not_of("0123456789.") == std::string::npos);
  CHECK_THAT(build, Contains(", commit ") && !Contains(version));
  CHECK(kvmend::test::kvmend({"--version"}).out == "kvmend " + version + " (" + build + ")\n");
  const auto models = nlohmann::json::parse(column(store, "models"));
  REQUIRE(models.at("aux").contains(model));
  CHECK(models["aux"][model].at("weights") == models["model"].at("weights"));
  CHECK(models["aux"][model].at("tokenizer") == models["model"].at("tokenizer"));
}
