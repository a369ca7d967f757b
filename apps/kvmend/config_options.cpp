#include "apps/kvmend/config_options.h"

#include <fmt/format.h>

#include "apps/kvmend/command.h"
#include "experiment/config/config.h"

namespace kvmend {

void add_config_options(CLI::App& app, std::vector<std::string>& settings, const std::string& cards) {
  app.add_option("--set", settings, "override a value: 'tasks.*.samples=5'; repeat --set for several")
      ->allow_extra_args(false);
  const auto shorthand = [&](const std::string& key, const std::string& help = "") {
    const auto set = [&settings, key](const std::string& value) {
      settings.push_back(fmt::format("{}={}", key, value));
    };
    return app.add_option_function<std::string>("--" + key, set, fmt::format("{}the same as --set {}=…", help, key));
  };
  shorthand("device", fmt::format("cpu, reference, cuda or {}; {}; ", cards, auto_device_help))
      ->check([](const std::string& device) { return device_error(device); });
  shorthand("dtype")->check(CLI::IsMember({"f32", "bf16"}));
  shorthand("threads")->check(CLI::Range(0, 4096));
}

}  // namespace kvmend
