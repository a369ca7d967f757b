#include "catch.h"
#include "experiment/table_format.h"
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

TEST_CASE("a LaTeX table compiles as it is, and within a paper") {
  if (!has_program("pdflatex")) return;
  const TempFolder folder;
  folder.write("alone.tex", table_as_latex(Filled().table()));
  CHECK(compiles(folder, "alone.tex"));
  folder.write("table.tex", table_as_latex(hostile_table()));
  CHECK(compiles(folder, "table.tex"));
  folder.write("paper.tex",
               "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\nBefore\n\\input{table.tex}\n"
               "\\input{alone.tex}\nafter\n\\end{document}\n");
  CHECK(compiles(folder, "paper.tex"));
}
