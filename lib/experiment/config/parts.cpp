#include "experiment/config/parts.h"

#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"
#include "experiment/config/keys.h"

namespace kvmend {
namespace {

void read_ratio(Config& config, const Value& value, ParamErrors& errors) {
  if (!value.is_number()) {
    errors.add(value.where,
               fmt::format("a ratio is a number from 0 to 1, found {}", value.is_null() ? "nothing" : value.flow()));
    return;
  }
  const double ratio = value.as_number();
  if (ratio >= 2 && ratio <= 100) {  // a percentage; 1.2 is no 1.2 %
    errors.add(value.where,
               fmt::format("ratio {} is above 1; did you mean {}?", format_number(ratio), format_number(ratio / 100)));
  } else if (!(ratio >= 0 && ratio <= 1)) {
    errors.add(value.where, fmt::format("ratio {} is not between 0 and 1", format_number(ratio)));
  } else if (std::find(config.ratios.begin(), config.ratios.end(), ratio) != config.ratios.end()) {
    config.warnings.push_back(fmt::format("{}ratio {} is listed twice", value.where.prefix(), format_number(ratio)));
  } else {
    config.ratios.push_back(ratio);
  }
}

/// A map's entries by name, unknown names reported; null where the key is missing or empty.
std::vector<const Value*> read_section(const Value& tree, const std::string& section,
                                       const std::vector<std::string>& keys, ParamErrors& errors) {
  std::vector<const Value*> values(keys.size(), nullptr);
  const Value* map = tree.find(section);
  if (!map || map->is_null()) return values;
  if (!map->is_map()) {
    errors.add(map->where, fmt::format("{} is a map of key: value, found {}", section, map->type_name()));
    return values;
  }
  for (const auto& entry : map->as_map()) {
    const auto known = std::find(keys.begin(), keys.end(), entry.key);
    if (known == keys.end()) {
      errors.add(entry.where,
                 fmt::format("unknown key '{}' in {}{}", entry.key, section, did_you_mean(entry.key, keys)));
    } else if (!entry.value.is_null()) {
      values[static_cast<std::size_t>(known - keys.begin())] = &entry.value;
    }
  }
  return values;
}

/// `on`, `off` and bools alike: `cache: {disk: off}` reads well, and YAML 1.2 makes it a string.
bool read_switch(const Value& value) {
  if (value.is_string() && value.as_string() == "on") return true;
  if (value.is_string() && value.as_string() == "off") return false;
  return value.as_bool();
}

template <class F>
void collect(ParamErrors& errors, F&& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw;
    errors.messages.emplace_back(error.what());
  }
}

}  // namespace

void read_ratios(Config& config, const Value& tree, ParamErrors& errors) {
  const Value* ratios = tree.find("ratios");
  if (!ratios || ratios->is_null()) return;
  if (!ratios->is_list()) {
    errors.add(ratios->where, fmt::format("ratios is a list, e.g. [0.1, 0.2], found {}", ratios->flow()));
    return;
  }
  for (const auto& value : ratios->as_list()) read_ratio(config, value, errors);
  std::sort(config.ratios.begin(), config.ratios.end());
}

void read_chunkers(Config& config, const Value& tree, ParamErrors& errors) {
  const Value* spec = tree.find("chunker");
  const Value fallback = "fixed";
  if (!spec || spec->is_null()) spec = &fallback;
  const Value::List specs = spec->is_list() ? spec->as_list() : Value::List{*spec};
  if (specs.empty()) errors.add(spec->where, "chunker is an empty list");
  for (const auto& one : specs) {
    collect(errors, [&] {
      const Value canonical = make_chunker(one)->canonical();
      const bool twice = std::any_of(config.chunkers.begin(), config.chunkers.end(),
                                     [&](const Value& c) { return c.canonical() == canonical.canonical(); });
      if (twice) {
        config.warnings.push_back(fmt::format("{}chunker {} is listed twice", one.where.prefix(), canonical.flow()));
      } else {
        config.chunkers.push_back(canonical);
      }
    });
  }
}

void read_cache(Config& config, const Value& tree, ParamErrors& errors) {
  const auto values = read_section(tree, "cache", section_keys("cache"), errors);
  if (values[0]) collect(errors, [&] { config.cache.memory = parse_size(*values[0]); });
  if (values[1]) collect(errors, [&] { config.cache.disk = read_switch(*values[1]); });
  if (values[2]) collect(errors, [&] { config.cache.limit = parse_size(*values[2]); });
  if (values[3]) collect(errors, [&] { config.cache.dir = values[3]->as_string(); });
}

void read_store(Config& config, const Value& tree, ParamErrors& errors) {
  const auto values = read_section(tree, "store", section_keys("store"), errors);
  if (values[0]) collect(errors, [&] { config.store_scores = read_switch(*values[0]); });
}

std::vector<NamedItem> read_items(const Value& tree, const std::string& key, ParamErrors& errors) {
  std::vector<NamedItem> items;
  const Value* list = tree.find(key);
  if (!list || list->is_null()) {
    errors.add(list ? list->where : Location{tree.where.file, 0, 0},
               key + " is missing: a list of names or of name: {parameters}");
    return items;
  }
  if (!list->is_list() || list->as_list().empty()) {
    errors.add(list->where, fmt::format("{} is a list of names or of name: {{parameters}}, found {}", key,
                                        list->is_list() ? "an empty one" : list->flow()));
    return items;
  }
  for (const auto& item : list->as_list()) {
    if (item.is_string()) {
      items.push_back({item.as_string(), item.where, Value()});
    } else if (item.is_map() && item.as_map().size() == 1) {
      const auto& entry = item.as_map().front();
      items.push_back({entry.key, entry.where, entry.value});
    } else if (item.is_map() && item.as_map().size() > 1) {
      const auto& second = item.as_map()[1];
      errors.add(second.where,
                 fmt::format("'{}' stands beside '{}'; parameters are indented below the name, or in {{}}", second.key,
                             item.as_map().front().key));
    } else {
      errors.add(item.where, fmt::format("an item of {} is a name or name: {{parameters}}, found {}", key,
                                         item.is_null() ? "nothing" : item.flow()));
    }
  }
  return items;
}

}  // namespace kvmend
