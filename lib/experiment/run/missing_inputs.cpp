#include "experiment/run/missing_inputs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "experiment/config/cell.h"
#include "experiment/run/session.h"
#include "model/locate.h"

namespace kvmend {
namespace {

/// How to run a config on a model that there is; papers' configs have an overlay beside them for a first look.
std::string another_model(const Config& config) {
  const std::filesystem::path overlay = config.folder / "small.yaml";
  const bool offered = path_exists(overlay) && config.text.find("# " + overlay.string() + "\n") == std::string::npos;
  return "; another model: --set model=NAME" +
         (offered ? fmt::format(" (a first look on a laptop: {} behind the config)", overlay.string()) : "");
}

void find_models(const Config& config, std::vector<std::string>& out) {
  try {
    locate_model(config.model);
  } catch (const Error& error) {
    out.push_back(error.what() + another_model(config));
  }
  std::set<std::string> seen;
  for (const StrategyVariant& variant : config.strategies) {
    for (const std::string& name : auxiliary_models(*variant.strategy)) {
      if (!seen.insert(name).second) continue;
      try {
        locate_model(name);
      } catch (const Error& error) {
        out.push_back(fmt::format("{}{}: aux_model {}: {}", variant.where.prefix(), variant.strategy->info.name, name,
                                  error.what()));
      }
    }
  }
}

void find_data(const Config& config, std::vector<std::string>& out) {
  std::vector<std::pair<std::string, std::vector<std::string>>> sets;  // with the tasks that read them, as first met
  for (const TaskVariant& task : config.tasks) {
    for (const std::string& name : missing_data_sets(task.name, full_parameters(task))) {
      auto found = std::find_if(sets.begin(), sets.end(), [&](const auto& set) { return set.first == name; });
      if (found == sets.end()) found = sets.insert(sets.end(), {name, {}});
      auto& tasks = found->second;
      if (std::find(tasks.begin(), tasks.end(), task.name) == tasks.end()) tasks.push_back(task.name);
    }
  }
  if (sets.empty()) return;
  std::string list, names;
  for (const auto& [name, tasks] : sets) {
    list += fmt::format("{}{} ({}{})", list.empty() ? "" : ", ", name, tasks.front(),
                        tasks.size() > 1 ? fmt::format(" and {} more", tasks.size() - 1) : "");
    names += " " + name;
  }
  out.push_back(fmt::format(
      "data sets are not here: {}; try: kvmend fetch{} (or the tasks' 'file' or 'folder' names what you have)", list,
      names));
}

}  // namespace

std::vector<std::string> missing_inputs(const Config& config) {
  std::vector<std::string> out;
  find_models(config, out);
  find_data(config, out);
  return out;
}

const Config& require_inputs(const Config& config) {
  if (const auto missing = missing_inputs(config); !missing.empty())
    fail(ErrorKind::data, "{}", fmt::join(missing, "\n"));
  return config;
}

}  // namespace kvmend
