#include "experiment/config/source.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "experiment/config/yaml_reader.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

/// Lays files over one another in the order they are read: what a file includes, the file, its `set:`.
class FileReader {
 public:
  explicit FileReader(const ItemParameters& parameters) : parameters_(parameters) {}

  void add(const fs::path& path, const Location& named_at) {
    const fs::path identity = fs::weakly_canonical(path);
    if (std::find(chain_.begin(), chain_.end(), identity) != chain_.end()) fail_cycle(path, named_at);
    if (!fs::exists(path)) {
      // `--set a=1 b=2` leaves b=2 to the files.
      const bool setting = named_at.file.empty() && path.string().find('=') != std::string::npos;
      fail(ErrorKind::usage, "{}{}: no such config file{}", named_at.prefix(), path.string(),
           setting ? "; a setting needs a --set of its own: --set " + path.string() : "");
    }
    Value own = read_yaml_file(path);
    if (own.is_null()) own = Value::Map{};
    if (!own.is_map()) fail(ErrorKind::usage, "{}a config is a map of key: value", own.where.prefix());
    chain_.push_back(identity);
    if (const Value* include = own.find("include")) add_includes(*include, path.parent_path());
    chain_.pop_back();
    own.erase("include");
    const std::vector<Value> settings = take_settings(own);
    text_ += "# " + path.string() + "\n" + read_file(path);
    if (!text_.ends_with('\n')) text_ += '\n';
    tree_ = merge_config_trees(std::move(tree_), own);
    apply_file_settings(tree_, settings, parameters_);
  }

  Value take_tree() { return std::move(tree_); }
  std::string take_text() { return std::move(text_); }

 private:
  static std::vector<Value> take_settings(Value& own) {
    std::vector<Value> settings;
    if (const Value* list = own.find("set")) settings = list->is_list() ? list->as_list() : Value::List{*list};
    for (const Value& setting : settings) {
      if (setting.is_string()) continue;
      fail(ErrorKind::usage, "{}set is a list of path=value, as --set takes them, e.g. 'tasks.*.samples=5'",
           setting.where.prefix());
    }
    own.erase("set");
    return settings;
  }

  void add_includes(const Value& include, const fs::path& folder) {
    for (const auto& file : include.is_list() ? include.as_list() : Value::List{include})
      add(folder / file.as_string(), file.where);
  }

  [[noreturn]] void fail_cycle(const fs::path& path, const Location& named_at) const {
    std::string chain;
    for (const auto& file : chain_) chain += file.filename().string() + " -> ";
    fail(ErrorKind::usage, "{}include goes in a circle: {}{}", named_at.prefix(), chain, path.filename().string());
  }

  const ItemParameters& parameters_;
  std::vector<fs::path> chain_;  ///< the files being read, for cycles
  Value tree_ = Value::Map{};
  std::string text_;
};

}  // namespace

Value merge_config_trees(Value base, const Value& over) {
  for (const auto& entry : over.as_map()) {
    Value* below = nullptr;
    for (auto& candidate : base.map()) {
      if (candidate.key == entry.key) below = &candidate.value;
    }
    // {fixed: 256} under {sentence: 128} would be neither: a chunker is one value.
    if (below && below->is_map() && entry.value.is_map() && entry.key != "chunker") {
      *below = merge_config_trees(std::move(*below), entry.value);
    } else if (below) {
      base.set(entry.key, entry.value);
      for (auto& candidate : base.map()) {
        if (candidate.key == entry.key) candidate.where = entry.where;
      }
    } else {
      base.map().push_back(entry);
    }
  }
  return base;
}

ConfigSource read_config_files(const std::vector<fs::path>& paths, const ItemParameters& parameters) {
  ConfigSource source;
  FileReader reader(parameters);
  for (const auto& path : paths) {
    reader.add(path, {});
    source.folder = path.parent_path();
  }
  source.tree = reader.take_tree();
  if (!paths.empty()) source.tree.where = {paths.back().string(), 0, 0};
  source.text = reader.take_text();
  return source;
}

}  // namespace kvmend
