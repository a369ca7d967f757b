#include "catch.h"
#include "core/install_paths.h"
#include "experiment/compare/against.h"
#include "experiment/compare/compare.h"
#include "experiment/table/format.h"
#include "graded.h"
#include "tools.h"

using namespace kvmend;

namespace {

/// Names that LaTeX would take for commands.
Table hostile_table() {
  const Filled store(
      "name: x\nmodel: 'a_b%c&d#e$f{g}h~i^j\\k<l>'\ntasks: [ruler/vt: {samples: 12}]\n"
      "strategies: [full, epic: {as: \"50 % × √2 – \\\"best\\\" | x_1\"}, prophetkv]\nratios: [0.2]\n",
      12);
  return store.table();
}

bool compiles(const TempFolder& folder, const std::string& file) {
  return succeeds("cd " + folder.path().string() + " && pdflatex -interaction=nonstopmode -halt-on-error " + file);
}

}  // namespace

TEST_CASE("comparisons are LaTeX tables as the others are") {
  const Filled store;
  const TableData data = load_table_data({store.path});
  const std::string compare = format_comparison(compare_strategies(data, {.a = "prophetkv", .b = "random"}), "latex");
  CHECK_THAT(compare, Catch::Contains("\\begin{tabular}{@{}llrrrrrrrrrl@{}}") &&
                          Catch::Contains("20\\,\\% & ruler/vt & 30 & ") && Catch::Contains("\\kvmendend"));
  const auto published = read_published(shipped_path("results/published/prophetkv-ruler.yaml"));
  const std::string against = format_against(set_against(data, {}, published), "latex");
  CHECK_THAT(against, Catch::Contains("ProphetKV beats CacheBlend at 20\\,\\% & +7.4 to +17.9 & ") &&
                          Catch::Contains("not tested here: no cacheblend in the store") &&
                          Catch::Contains("prophetkv & 20\\,\\% & ruler/all (2 of 13 tasks) & Llama-3.1-8B & 84.7 & "));
}

TEST_CASE("a LaTeX table compiles as it is, and within a paper") {
  if (!has_program("pdflatex")) return;
  const TempFolder folder;
  folder.write("alone.tex", table_as_latex(Filled().table()));
  CHECK(compiles(folder, "alone.tex"));
  folder.write("table.tex", table_as_latex(hostile_table()));
  CHECK(compiles(folder, "table.tex"));
  const Filled store;
  const TableData data = load_table_data({store.path});
  folder.write("compare.tex", format_comparison(compare_strategies(data, {.a = "prophetkv", .b = "random"}), "latex"));
  CHECK(compiles(folder, "compare.tex"));
  const auto published = read_published(shipped_path("results/published/prophetkv-ruler.yaml"));
  folder.write("against.tex", format_against(set_against(data, {}, published), "latex"));
  CHECK(compiles(folder, "against.tex"));
  folder.write("paper.tex",
               "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\nBefore\n\\input{table.tex}\n"
               "\\input{alone.tex}\n\\input{compare.tex}\n\\input{against.tex}\nafter\n\\end{document}\n");
  CHECK(compiles(folder, "paper.tex"));
}
