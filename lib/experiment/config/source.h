#pragma once
// From files and --set options to one Value tree; what the keys mean is config.h's work.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/value.h"

namespace kvmend {

/// The tree that several config files make, and the files as written.
struct ConfigSource {
  Value tree;                    ///< a map; every node knows its file, line and column
  std::string text;              ///< all files as written, includes first, each under a comment that names it
  std::filesystem::path folder;  ///< of the last file: relative data files are looked up there
};

/// The parameters that an item of a list takes: ("tasks", "ruler/vt") → {length, samples, …}; empty for unknown names, and
/// for the name "*" those of all there are.
using ItemParameters = std::function<std::vector<std::string>(const std::string& section, const std::string& name)>;

/// Reads the files and what they include, and merges them left to right: a later file wins, lists and `chunker` are
/// replaced, other maps merge key by key. `include: FILE` (or a list of them), relative to the including file, lies
/// below that file. A file's `set:` is applied once the file is merged: it changes that file and those below it, and the
/// files behind it win over it. Throws Error(usage): a missing file, a cycle (with the chain), a file that is no map, a
/// `set:` that is no list of texts, and as apply_settings does.
ConfigSource read_config_files(const std::vector<std::filesystem::path>& paths, const ItemParameters& parameters);

/// `over` on top of `base`, as read_config_files merges.
Value merge_config_trees(Value base, const Value& over);

/// Applies --set options `path=value` in order. A path's steps are separated by dots: a key, a list index from 0, an
/// item's name (`strategies.random.seed`), or `*` for every element, which passes over items that do not take the
/// parameter that follows. The value is YAML. A value's place is file "--set", line the option's number, column.
/// Throws Error(usage) for a path that matches nothing, naming the nearest key.
void apply_settings(Value& tree, const std::vector<std::string>& settings, const ItemParameters& parameters);

/// The same for what a file's `set:` list says (strings), at their places. Such a file may lie over configs with other tasks: a `*` passes
/// over everything where no item of the list takes the parameter, if another task or strategy does.
void apply_file_settings(Value& tree, const std::vector<Value>& settings, const ItemParameters& parameters);

}  // namespace kvmend
