#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace kvmend {

/// --set, and --device, --dtype and --threads, which are short for it: what they say is added to `settings`. Their values are
/// checked here, so that errors name the option that was written. `cards`: how the help names those that can be chosen.
void add_config_options(CLI::App& app, std::vector<std::string>& settings, const std::string& cards);

}  // namespace kvmend
