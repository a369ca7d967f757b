// --set, and a file's `set:`: a path into the config tree and the value to put there.
#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/config/source.h"
#include "experiment/config/yaml_reader.h"

namespace kvmend {
namespace {

struct Step {
  std::string text;
  Location where;
};

struct Setting {
  std::string text;
  std::vector<Step> steps;
  Value value;
  bool from_file = false;  ///< `*` may match nothing
};

/// Moves the places of a value read from the text behind '=' to where it stands in the option.
void shift_places(Value& value, const Location& origin) {
  const auto shift = [&](Location& where) {
    where = {origin.file, origin.line, where.line <= 1 ? origin.column + where.column - 1 : where.column};
  };
  shift(value.where);
  if (value.is_list()) {
    for (auto& item : value.list()) shift_places(item, origin);
  } else if (value.is_map()) {
    for (auto& entry : value.map()) {
      shift(entry.where);
      shift_places(entry.value, origin);
    }
  }
}

/// `begin`: where the option's first character stands.
Setting parse_setting(const std::string& option, const Location& begin_at) {
  const auto at = [&](std::size_t column) {
    return Location{begin_at.file, begin_at.line, begin_at.column + static_cast<int>(column)};
  };
  const std::size_t equals = option.find('=');
  if (equals == std::string::npos) {
    fail(ErrorKind::usage, "{}'{}' has no value; write it as path=value, e.g. tasks.*.samples=5", at(0).prefix(),
         option);
  }
  Setting setting;
  setting.text = option;
  for (std::size_t begin = 0; begin <= equals;) {
    const std::size_t end = std::min(option.find('.', begin), equals);
    if (end == begin) fail(ErrorKind::usage, "{}'{}' has an empty step in its path", at(begin).prefix(), option);
    setting.steps.push_back({option.substr(begin, end - begin), at(begin)});
    begin = end + 1;
  }
  setting.value = read_yaml(option.substr(equals + 1), fmt::format("--set '{}'", option));
  shift_places(setting.value, at(equals + 1));
  return setting;
}

std::optional<std::size_t> as_index(const std::string& text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

/// The name of a task or strategy in a list: `name` or `name: {parameters}`.
std::string item_name(const Value& item) {
  if (item.is_string()) return item.as_string();
  if (item.is_map() && item.as_map().size() == 1) return item.as_map().front().key;
  return "";
}

class Applier {
 public:
  Applier(const Setting& setting, const ItemParameters& parameters) : setting_(setting), parameters_(parameters) {}

  void apply(Value& tree) {
    if (tree.is_map()) {
      for (const auto& entry : tree.as_map()) keys_.push_back(entry.key);
    }
    descend(tree, 0);
  }

 private:
  const Step& step(std::size_t i) const { return setting_.steps[i]; }
  bool is_last(std::size_t i) const { return i + 1 == setting_.steps.size(); }
  bool names_items(std::size_t depth) const {
    return depth == 1 && (step(0).text == "tasks" || step(0).text == "strategies");
  }

  void descend(Value& node, std::size_t i) {
    if (i == setting_.steps.size()) {
      node = setting_.value;
    } else if (node.is_list()) {
      descend_list(node, i);
    } else if (node.is_map() || node.is_null()) {
      descend_map(node, i);
    } else {
      fail(ErrorKind::usage, "{}'{}' matches nothing: {} is {}, it has no keys", step(i).where.prefix(), step(i).text,
           i ? step(i - 1).text : "the config", node.type_name());
    }
  }

  /// '*' where nothing stands: below a key that is not there, or an overlay read without the sweep it lies over.
  [[noreturn]] void fail_nothing_there(std::size_t i) const {
    const std::string& key = step(i > 0 ? i - 1 : 0).text;
    if (i == 1 && setting_.from_file && names_items(i)) {
      fail(ErrorKind::usage,
           "{}'{}' finds no {}: set: changes its own file and those below it, so this one is an overlay; put a sweep "
           "before "
           "it: kvmend run SWEEP.yaml {}",
           step(0).where.prefix(), setting_.text, key, step(0).where.file);
    }
    if (i == 1 && std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
      fail(ErrorKind::usage, "{}the config has no '{}' to look below{}", step(0).where.prefix(), key,
           names_items(i) ? "" : did_you_mean(key, keys_));
    }
    fail(ErrorKind::usage, "{}'*' matches nothing: there is nothing below {}", step(i).where.prefix(),
         i > 0 ? key : "the config");
  }

  void descend_map(Value& node, std::size_t i) {
    if (step(i).text == "*") {
      if (node.is_null() || node.as_map().empty()) fail_nothing_there(i);
      for (auto& entry : node.map()) descend(entry.value, i + 1);
      return;
    }
    if (!node.find(step(i).text)) {
      Value fresh;
      fresh.where = step(i).where;
      node.set(step(i).text, fresh);
    }
    for (auto& entry : node.map()) {
      if (entry.key != step(i).text) continue;
      entry.where = step(i).where;
      descend(entry.value, i + 1);
    }
  }

  void descend_list(Value& node, std::size_t i) {
    Value::List& items = node.list();
    if (step(i).text == "*") {
      descend_all(items, i);
    } else if (const auto index = as_index(step(i).text)) {
      if (*index >= items.size()) {
        fail(ErrorKind::usage, "{}there is no element {}: the list has {} (0 is the first)", step(i).where.prefix(),
             *index, items.size());
      }
      descend_item(items[*index], i);
    } else {
      descend_named(items, i);
    }
  }

  void descend_all(Value::List& items, std::size_t i) {
    std::size_t matched = 0;
    std::vector<std::string> taken;
    for (auto& item : items) {
      if (names_items(i) && !is_last(i)) {
        const auto known = parameters_(step(0).text, item_name(item));
        taken.insert(taken.end(), known.begin(), known.end());
        if (std::find(known.begin(), known.end(), step(i + 1).text) == known.end()) continue;
      }
      descend_item(item, i);
      ++matched;
    }
    if (matched > 0) return;
    if (items.empty() || is_last(i))
      fail(ErrorKind::usage, "{}'*' matches nothing: the list is empty", step(i).where.prefix());
    if (setting_.from_file && names_items(i)) {
      taken = parameters_(step(0).text, "*");
      if (std::find(taken.begin(), taken.end(), step(i + 1).text) != taken.end()) return;
    }
    fail(ErrorKind::usage, "{}no element of {} takes '{}'{}", step(i + 1).where.prefix(), step(i - 1).text,
         step(i + 1).text, did_you_mean(step(i + 1).text, taken));
  }

  void descend_named(Value::List& items, std::size_t i) {
    bool found = false;
    std::vector<std::string> names;
    for (auto& item : items) {
      names.push_back(item_name(item));
      if (names.back() != step(i).text) continue;
      descend_item(item, i);
      found = true;
    }
    if (!found) {
      fail(ErrorKind::usage, "{}'{}' matches nothing in {}{}", step(i).where.prefix(), step(i).text,
           i ? step(i - 1).text : "the list", did_you_mean(step(i).text, names));
    }
  }

  /// An element of a list: the steps behind a task or a strategy go to its parameters.
  void descend_item(Value& item, std::size_t i) {
    if (!names_items(i) || is_last(i) || item_name(item).empty()) {
      descend(item, i + 1);
      return;
    }
    if (item.is_string()) {
      Value::Entry entry{item.as_string(), item.where, Value(Value::Map{})};
      entry.value.where = item.where;
      const Location where = item.where;
      item = Value::Map{entry};
      item.where = where;
    }
    descend(item.map().front().value, i + 1);
  }

  const Setting& setting_;
  const ItemParameters& parameters_;
  std::vector<std::string> keys_;  ///< the config's, as it was
};

}  // namespace

void apply_settings(Value& tree, const std::vector<std::string>& settings, const ItemParameters& parameters) {
  for (std::size_t n = 0; n < settings.size(); ++n) {
    const Setting setting = parse_setting(settings[n], {"--set", static_cast<int>(n) + 1, 1});
    Applier(setting, parameters).apply(tree);
  }
}

void apply_file_settings(Value& tree, const std::vector<Value>& settings, const ItemParameters& parameters) {
  for (const Value& text : settings) {
    Setting setting = parse_setting(text.as_string(), text.where);
    setting.from_file = true;
    Applier(setting, parameters).apply(tree);
  }
}

}  // namespace kvmend
