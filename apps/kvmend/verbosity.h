#pragma once
#include "apps/kvmend/command.h"

namespace kvmend {

/// -q and -v of commands that take a while; `lines`: what -v says on stderr.
inline void add_verbosity_options(CLI::App& app, bool& quiet, bool& verbose, const char* lines) {
  app.add_flag("-v,--verbose", verbose, lines);
  app.add_flag("-q,--quiet", quiet, "no progress");
}

}  // namespace kvmend
