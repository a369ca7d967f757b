#pragma once
// Programs that some tests need and a user's machine may lack.
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

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

/// An environment variable's value until the end of a scope, whichever way that ends.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

}  // namespace kvmend
