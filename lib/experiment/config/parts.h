#pragma once
// The keys of a config that hold more than a plain value, one function each. All add to `errors` and go on.
#include "core/params.h"
#include "experiment/config/config.h"

namespace kvmend {

void read_ratios(Config& config, const Value& tree, ParamErrors& errors);
void read_tasks(Config& config, const Value& tree, ParamErrors& errors);
void read_chunkers(Config& config, const Value& tree, ParamErrors& errors);
/// After read_ratios: strategies that need a ratio ask for it.
void read_strategies(Config& config, const Value& tree, ParamErrors& errors);
void read_cache(Config& config, const Value& tree, ParamErrors& errors);
void read_store(Config& config, const Value& tree, ParamErrors& errors);

/// Throws Error(usage) with all of them by file, line and column, each once; returns where there are none.
void throw_if_any(ParamErrors& errors);

/// An item of a list as users write it: `name`, or `name: {parameters}`.
struct NamedItem {
  std::string name;
  Location where;  ///< of the name
  Value params;    ///< a map or null
};

/// The items of `tree[key]`; each that is neither form is added to `errors`.
std::vector<NamedItem> read_items(const Value& tree, const std::string& key, ParamErrors& errors);

}  // namespace kvmend
