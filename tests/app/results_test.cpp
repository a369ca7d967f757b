// What is made of a store's results from the shell: compare, plot and report. What they say is tested in their layer.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// tiny.kvmend in a folder: three samples, epic and prophetkv at two ratios.
void run_tiny(const TempFolder& folder) {
  folder.write("a.yaml",
               "name: tiny\nmodel: " + tiny_model("tiny-llama") +
                   "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 900, samples: 3, seed: "
                   "1}\nmax_new_tokens: 4\nchunker: {fixed: 128}\nstrategies: [full, reuse, epic, prophetkv]\n"
                   "ratios: [0.1, 0.4]\n");
  REQUIRE(kvmend::test::kvmend({"run", "a.yaml", "-q"}, folder.path()).code == 0);
}

/// Exit code 2 and one line that says what is wrong.
void check_refused(const ProgramResult& result, const std::string& why) {
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, Catch::StartsWith("kvmend: ") && Contains(why));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("compare tests two strategies at each ratio there is, and refuses one that there is not") {
  const TempFolder folder;
  run_tiny(folder);
  const auto text = kvmend::test::kvmend({"compare", "tiny.kvmend", "epic", "prophetkv"}, folder.path());
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK(text.err.empty());
  CHECK_THAT(text.out, Contains("ruler/niah_single_1") && Contains("10 %") && Contains("40 %") && Contains("p (Holm)"));
  const auto json =
      kvmend::test::kvmend({"compare", "tiny.kvmend", "epic", "prophetkv", "--json", "--ratio", "0.4"}, folder.path());
  CHECK(json.code == 0);
  const auto rows = nlohmann::json::parse(json.out);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].at("strategy") == "epic");
  CHECK(rows[0].at("other") == "prophetkv");
  CHECK(rows[0].at("n") == 3);
  check_refused(kvmend::test::kvmend({"compare", "tiny.kvmend", "epic", "prophetkw"}, folder.path()),
                "no strategy 'prophetkw'; did you mean 'prophetkv'?");
}

TEST_CASE("plot writes a figure's script, and nothing where the kind is unknown") {
  const TempFolder folder;
  run_tiny(folder);
  const auto drawn =
      kvmend::test::kvmend({"plot", "tiny.kvmend", "--kind", "quality-cost", "-o", "figure.gp"}, folder.path());
  INFO(drawn.err);
  CHECK(drawn.code == 0);
  CHECK_THAT(kvmend::read_file(folder.path() / "figure.gp"), Contains("plot ") && Contains("prophetkv"));
  check_refused(kvmend::test::kvmend({"plot", "tiny.kvmend", "--kind", "quality", "-o", "none.gp"}, folder.path()),
                "--kind: unknown plot 'quality'; did you mean 'quality-cost'?");
  CHECK_FALSE(fs::exists(folder.path() / "none.gp"));
}

TEST_CASE("report writes one page, and none where no cell meets a condition") {
  const TempFolder folder;
  run_tiny(folder);
  const auto made = kvmend::test::kvmend({"report", "tiny.kvmend", "-o", "page.html", "--no-plots"}, folder.path());
  CHECK(made.code == 0);
  CHECK_THAT(made.err, Contains("page.html: 3 samples, 3 with text"));
  CHECK_THAT(kvmend::read_file(folder.path() / "page.html"),
             Catch::StartsWith("<!doctype html>") && Contains("prophetkv") && Contains("</html>"));
  check_refused(kvmend::test::kvmend({"report", "tiny.kvmend", "-o", "none.html", "--no-plots", "--where", "ratio=0.9"},
                                     folder.path()),
                "--where ratio=0.9: no cell has it; known: 0.1, 0.4");
  CHECK_FALSE(fs::exists(folder.path() / "none.html"));
}
