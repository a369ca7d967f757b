#pragma once
#include "apps/kvmend/command.h"

namespace kvmend {

/// --plugin FILE, as often as wanted: loaded while the command line is parsed, before any strategy is named.
void add_plugin_option(CLI::App& app);

}  // namespace kvmend
