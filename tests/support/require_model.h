#pragma once
// Models that tests need from outside the repository. Without one a test is skipped, with a warning: unless
// KVMEND_REQUIRE_MODELS names it (names with commas; 1: every one), as scripts/test does with the one that it fetches.
#include <cstdlib>
#include <string>

#include "catch.h"

namespace kvmend::test {

inline bool is_required_model(const std::string& name) {
  const char* required = std::getenv("KVMEND_REQUIRE_MODELS");
  if (!required) return false;
  return std::string(required) == "1" ||
         ("," + std::string(required) + ",").find("," + name + ",") != std::string::npos;
}

/// Hands `there` back; where that is false the test fails, or says that it is skipped and how to get the model.
inline bool require_model(const std::string& name, bool there, const std::string& how = "") {
  if (there) return true;
  const std::string get = how.empty() ? "scripts/fetch " + name : how;
  if (is_required_model(name)) FAIL(name << " is required and not there; get it by " << get);
  WARN("SKIPPED: " << name << " is not there; get it by " << get);
  return false;
}

}  // namespace kvmend::test
