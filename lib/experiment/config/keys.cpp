#include "experiment/config/keys.h"

#include <algorithm>

#include "core/error.h"

namespace kvmend {

std::vector<std::string> plain_key_names() {
  Config config;
  PlainKeys keys{config};
  params_detail::Lister lister;
  PlainKeys::fields(keys, lister);
  std::vector<std::string> out;
  for (const ParamInfo& key : lister.out) out.push_back(key.name);
  return out;
}

const std::vector<ParamInfo>& structured_keys() {
  static const std::vector<ParamInfo> keys = {
      {"tasks", "list", "required", "names of tasks or groups, or NAME: {parameters}; see 'kvmend list tasks'", true},
      {"chunker", "chunker, or a list of them", "{fixed: 512}", "how contexts are cut; see 'kvmend list chunkers'",
       false},
      {"strategies", "list", "required", "names, or NAME: {parameters}; see 'kvmend list strategies'", true},
      {"ratios", "list of number", "[]", "shares of the context to recompute, each from 0 to 1", true},
      {"cache.memory", "size", "0", "of chunk caches in memory, e.g. 20GiB; 0: by what is free", false},
      {"cache.disk", "on or off", "off", "chunk caches go to disk, too, and stay there for the next run", false},
      {"cache.limit", "size", "20GiB", "of chunk caches on disk", false},
      {"cache.dir", "string", "\"\"", "where they are on disk; empty: the user's cache folder", false},
      {"store.scores", "on or off", "off", "the store keeps every context token's score, too", false},
      {"include", "file, or a list of them", "none", "merged below this file, and looked up beside it", true},
      {"set", "list of path=value", "[]", "as --set, on this file and those below it", true},
  };
  return keys;
}

std::vector<std::string> section_keys(const std::string& section) {
  std::vector<std::string> out;
  for (const ParamInfo& key : structured_keys()) {
    if (key.name.starts_with(section + ".")) out.push_back(key.name.substr(section.size() + 1));
  }
  return out;
}

std::vector<ParamInfo> config_keys() {
  Config config;
  PlainKeys keys{config};
  params_detail::Lister lister;
  PlainKeys::fields(keys, lister);
  std::vector<ParamInfo> out;
  for (ParamInfo& key : lister.out) {
    if (key.name == "model") key.default_value = "required";
    if (key.default_value == "null") key.default_value = "none";
    out.push_back(std::move(key));
    // Behind the model comes what a sweep is made of; the rest is for some sweeps only.
    if (out.back().name == "model") out.insert(out.end(), structured_keys().begin(), structured_keys().begin() + 4);
  }
  out.insert(out.end(), structured_keys().begin() + 4, structured_keys().end());
  return out;
}

std::vector<std::string> item_parameters(const std::string& section, const std::string& name) {
  std::vector<std::string> out;
  const auto take = [&](const auto& infos, const std::string& wanted) {
    for (const auto& info : infos) {
      if (info.name != wanted && wanted != "*") continue;
      for (const auto& param : info.params) out.push_back(param.name);
    }
  };
  if (section == "strategies") {
    take(list_strategies(), name);
  } else if (name == "*") {
    take(list_tasks(), name);
  } else {
    try {
      for (const auto& task : expand_task_group(name, {})) take(list_tasks(), task);
    } catch (const Error&) {  // an unknown name takes nothing; checking reports it with its place
    }
  }
  return out;
}

}  // namespace kvmend
