#include "experiment/config_source.h"

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "experiment/yaml_reader.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

/// Reads one file with its includes; `chain` holds the files being read, for cycles.
class FileReader {
 public:
  Value read(const fs::path& path, const Location& named_at) {
    const fs::path identity = fs::weakly_canonical(path);
    if (std::find(chain_.begin(), chain_.end(), identity) != chain_.end()) fail_cycle(path, named_at);
    if (!fs::exists(path)) fail(ErrorKind::usage, "{}{}: no such config file", named_at.prefix(), path.string());
    Value own = read_yaml_file(path);
    if (own.is_null()) own = Value::Map{};
    if (!own.is_map()) fail(ErrorKind::usage, "{}a config is a map of key: value", own.where.prefix());
    chain_.push_back(identity);
    Value below = Value::Map{};
    if (const Value* include = own.find("include")) below = read_includes(*include, path.parent_path());
    chain_.pop_back();
    own.erase("include");
    take_settings(own);
    text_ += "# " + path.string() + "\n" + read_file(path);
    if (!text_.ends_with('\n')) text_ += '\n';
    return merge_config_trees(std::move(below), own);
  }

  std::string take_text() { return std::move(text_); }
  std::vector<Value> take_settings() { return std::move(settings_); }

 private:
  void take_settings(Value& own) {
    const Value* list = own.find("set");
    if (!list) return;
    for (const Value& setting : list->is_list() ? list->as_list() : Value::List{*list}) {
      if (!setting.is_string()) {
        fail(ErrorKind::usage, "{}set is a list of path=value, as --set takes them, e.g. 'tasks.*.samples=5'",
             setting.where.prefix());
      }
      settings_.push_back(setting);
    }
    own.erase("set");
  }

  Value read_includes(const Value& include, const fs::path& folder) {
    const Value::List files = include.is_list() ? include.as_list() : Value::List{include};
    Value merged = Value::Map{};
    for (const auto& file : files)
      merged = merge_config_trees(std::move(merged), read(folder / file.as_string(), file.where));
    return merged;
  }

  [[noreturn]] void fail_cycle(const fs::path& path, const Location& named_at) const {
    std::string chain;
    for (const auto& file : chain_) chain += file.filename().string() + " -> ";
    fail(ErrorKind::usage, "{}include goes in a circle: {}{}", named_at.prefix(), chain, path.filename().string());
  }

  std::vector<fs::path> chain_;
  std::string text_;
  std::vector<Value> settings_;
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

ConfigSource read_config_files(const std::vector<fs::path>& paths) {
  ConfigSource source;
  source.tree = Value::Map{};
  FileReader reader;
  for (const auto& path : paths) {
    source.tree = merge_config_trees(std::move(source.tree), reader.read(path, {}));
    source.folder = path.parent_path();
  }
  if (!paths.empty()) source.tree.where = {paths.back().string(), 0, 0};
  source.text = reader.take_text();
  source.settings = reader.take_settings();
  return source;
}

}  // namespace kvmend
