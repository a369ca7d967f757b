#include "apps/kvmend/plugin_option.h"

#include "recompute/plugin.h"

namespace kvmend {

void add_plugin_option(CLI::App& app) {
  const auto load = [](const std::vector<std::string>& files) {
    for (const std::string& file : files) load_plugin(file);
  };
  app.add_option_function<std::vector<std::string>>("--plugin", load,
                                                    "a shared library with selectors; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

}  // namespace kvmend
