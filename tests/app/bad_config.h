#pragma once
// Runs that go wrong from outside.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "app/program.h"
#include "catch.h"
#include "paths.h"

namespace kvmend::test {

/// A sweep of one task, into bad.kvmend.
inline std::string bad_config(const std::string& model, const std::string& task, const std::string& more = "") {
  return "name: bad\nmodel: " + model + "\nchat: raw\ndtype: f32\ntasks: [" + task +
         "]\nchunker: {fixed: 128}\nmax_new_tokens: 4\nstrategies: [full, epic]\nratios: [0.2]\n" + more;
}

inline const std::string needle = "ruler/niah_single_1: {length: 900, samples: 2, seed: 1}";

/// Runs the config and checks that it has so many errors, a line each, and that nothing was left behind.
inline ProgramResult refused(const TempFolder& folder, const std::string& text, bool no_store = true, int errors = 1) {
  folder.write("bad.yaml", text);
  std::filesystem::remove(folder.path() / "bad.kvmend");
  const auto result = kvmend({"run", "bad.yaml", "-q"}, folder.path());
  INFO(result.err);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == errors);
  CHECK_THAT(result.err,
             !Catch::Matchers::Contains("terminate called") && !Catch::Matchers::Contains("internal error"));
  if (no_store) CHECK_FALSE(std::filesystem::exists(folder.path() / "bad.kvmend"));
  return result;
}

/// A command line for /bin/sh, in the folder, $kvmend being the program; returns its exit code.
inline int shell(const TempFolder& folder, const std::string& line) {
  const int status =
      std::system(("cd " + folder.path().string() + " && kvmend=" + binary_folder() + "/bin/kvmend\n" + line).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace kvmend::test
