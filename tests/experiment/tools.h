#pragma once
// Programs that some tests need and a user's machine may lack.
#include <cstdlib>
#include <string>

#include "catch.h"

namespace kvmend {

inline bool succeeds(const std::string& command) {
  return std::system(("(" + command + ") > /dev/null 2>&1").c_str()) == 0;
}

/// Whether a program is there. If not, the test says that it is skipped; KVMEND_REQUIRE_TOOLS (scripts/test-full) fails it.
inline bool has_program(const std::string& name) {
  if (succeeds("command -v " + name)) return true;
  if (std::getenv("KVMEND_REQUIRE_TOOLS")) {
    FAIL(name << " is not installed; scripts/setup --dev installs it");
  }
  WARN("skipped: " << name << " is not installed");
  return false;
}

}  // namespace kvmend
