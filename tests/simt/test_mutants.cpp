// Planted bugs: each is caught by the plain build or a sanitizer's, under some schedule; without a bug nothing is.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "catch.h"

namespace {

const std::string folder = KVMEND_MUTANTS;

/// The exit code of a mutant run; a sanitizer's reports are not shown.
int run(const std::string& build, const std::string& name, const std::string& schedule) {
  const std::string command =
      "ASAN_OPTIONS=detect_leaks=0:exitcode=5 UBSAN_OPTIONS=halt_on_error=1:exitcode=6 TSAN_OPTIONS=exitcode=7 '" +
      folder + build + "' '" + name + "' " + schedule + " > /dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::vector<std::string> names() {
  std::vector<std::string> lines;
  FILE* pipe = popen(("'" + folder + "mutants_plain' --list").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 256> line;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
    lines.emplace_back(line.data());
    lines.back().pop_back();
  }
  pclose(pipe);
  return lines;
}

}  // namespace

TEST_CASE("every planted bug is caught, and nothing else") {
  std::vector<std::string> builds;
  for (const std::string build : {"mutants_plain", "mutants_asan", "mutants_tsan"})
    if (std::filesystem::exists(folder + build)) builds.push_back(build);
  const bool has_sanitizers = builds.size() == 3;
  int bugs = 0;
  for (const std::string& name : names()) {
    const bool planted = name.find(':') != std::string::npos;
    std::string caught;
    for (const std::string& build : builds)
      for (const std::string schedule : {"forward", "reverse", "random"}) {
        if (planted && !caught.empty()) break;
        const int code = run(build, name, schedule);
        INFO(name << " in " << build << ", " << schedule << ": exit code " << code);
        CHECK((code == 0 || code >= 3));
        if (planted && code != 0) caught = build + ", " + schedule + ", exit code " + std::to_string(code);
        if (!planted) CHECK(code == 0);
      }
    if (!planted) continue;
    ++bugs;
    INFO(name);
    if (has_sanitizers) CHECK(caught != "");
    UNSCOPED_INFO(name << ": " << caught);
  }
  CHECK(bugs >= 15);
}
