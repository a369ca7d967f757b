#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_catalogue.h"
#include "apps/kvmend/plugin_option.h"
#include "core/error.h"
#include "core/suggest.h"
#include "datasets/chunker.h"
#include "datasets/task.h"
#include "eval/metric.h"
#include "experiment/config/config.h"
#include "experiment/table/table.h"
#include "recompute/strategy.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

Json params_json(const std::vector<ParamInfo>& params) {
  Json out = Json::array();
  for (const ParamInfo& p : params) {
    out.push_back({{"name", p.name}, {"type", p.type}, {"default", p.default_value}, {"help", p.help}});
  }
  return out;
}

Json strategies() {
  Json out = Json::array();
  for (const StrategyInfo& s : list_strategies()) {
    out.push_back({{"name", s.name},
                   {"summary", s.summary},
                   {"source", s.source},
                   {"labels", s.labels},
                   {"version", s.version},
                   {"uses_ratio", s.uses_ratio},
                   {"exemptions", s.exemptions},
                   {"params", params_json(s.params)}});
    if (!s.note.empty()) out.back()["note"] = s.note;
    if (!s.plugin.empty()) out.back()["plugin"] = s.plugin;
  }
  return out;
}

Json tasks() {
  Json out = Json::array();
  for (const TaskInfo& t : list_tasks()) {
    out.push_back({{"name", t.name},
                   {"summary", t.summary},
                   {"source", t.source},
                   {"version", t.version},
                   {"metric", t.metric},
                   {"params", params_json(t.params)}});
  }
  return out;
}

Json metrics_json() {
  Json out = Json::array();
  for (const MetricInfo& m : metrics()) {
    out.push_back({{"name", m.name}, {"summary", m.summary}, {"source", m.source}});
  }
  return out;
}

Json chunkers() {
  Json out = Json::array();
  for (const ChunkerInfo& c : list_chunkers()) {
    out.push_back({{"name", c.name}, {"summary", c.summary}, {"params", params_json(c.params)}});
  }
  return out;
}

Json values() {
  Json out = Json::array();
  for (const TableValue& v : table_values()) out.push_back({{"name", v.name}, {"summary", v.summary}});
  return out;
}

Json models() {
  Json out = Json::array();
  for (const KnownModel& m : known_models()) {
    out.push_back({{"name", m.name}, {"summary", m.description}, {"fetched", m.fetched}, {"path", m.path.string()}});
  }
  return out;
}

Json config() {
  Json out = params_json(config_keys());
  for (Json& key : out) key["summary"] = key["help"];
  return out;
}

std::vector<std::string> names_of(const Json& items) {
  std::vector<std::string> out;
  for (const Json& item : items) out.push_back(item["name"].get<std::string>());
  return out;
}

Json with_names(const Json& items, const std::vector<std::string>& names) {
  Json out = Json::array();
  for (const Json& item : items) {
    if (std::find(names.begin(), names.end(), item["name"].get<std::string>()) != names.end()) out.push_back(item);
  }
  return out;
}

/// What kvmend knows, with parameters, sources and how sure each detail is.
class List final : public Command {
 public:
  explicit List(CLI::App& app) {
    app.add_option(
           "what", what_,
           "strategies, tasks, metrics, chunkers, models, values (what table --value shows) or config (its keys)")
        ->required()
        ->check(CLI::IsMember({"strategies", "tasks", "metrics", "chunkers", "models", "values", "config"}));
    app.add_option("name", name_, "only this one, in full; of tasks a group or a family, too: ruler/niah, ruler");
    add_plugin_option(app);
    app.add_flag("--long", long_, "all of each strategy or task, not only what it does");
    app.add_flag("--json", json_, "one JSON array, all of each");
  }

  int run() override {
    Json items = what_ == "strategies" ? strategies()
                 : what_ == "tasks"    ? tasks()
                 : what_ == "metrics"  ? metrics_json()
                 : what_ == "chunkers" ? chunkers()
                 : what_ == "values"   ? values()
                 : what_ == "config"   ? config()
                                       : models();
    if (!name_.empty()) items = find(items);
    if (json_) {
      fmt::print("{}\n", items.dump(2));
      return 0;
    }
    // Dozens of strategies or tasks are an overview; one is shown in full.
    const bool overview = !long_ && items.size() > 1 && (what_ == "strategies" || what_ == "tasks");
    for (const Json& item : items) print(item, overview);
    if (what_ == "tasks" && name_.empty()) print_groups();
    if (overview)
      fmt::print("\n'kvmend list {} NAME' shows one's parameters and sources, --long those of all.\n", what_);
    if (!overview && what_ == "strategies") print_common();
    return 0;
  }

 private:
  /// The one of that name; of tasks also a group's members, and a family's.
  Json find(const Json& items) const {
    if (Json one = with_names(items, {name_}); !one.empty()) return one;
    std::vector<std::string> known = names_of(items);
    if (what_ == "tasks") {
      for (const TaskGroup& group : list_task_groups()) {
        if (group.name == name_) return with_names(items, group.members);
        known.push_back(group.name);
      }
      std::vector<std::string> family;
      std::copy_if(known.begin(), known.end(), std::back_inserter(family),
                   [&](const std::string& name) { return name.starts_with(name_ + "/"); });
      if (Json members = with_names(items, family); !members.empty()) return members;
    }
    const std::string hint = did_you_mean(name_, known);
    fail(ErrorKind::usage, "no {} called '{}'{}", what_, name_,
         hint.empty() ? "; see 'kvmend list " + what_ + "'" : hint);
  }

  void print(const Json& item, bool overview) const {
    const std::string summary = item["summary"].get<std::string>();
    if (what_ == "config") {
      fmt::print("{:<22} {} ({}, default {})\n", item["name"].get<std::string>(), summary,
                 item["type"].get<std::string>(), item["default"].get<std::string>());
      return;
    }
    fmt::print("{:<22} {}\n", item["name"].get<std::string>(), summary);
    if (overview) return;
    const auto line = [&](const char* field) {
      if (item.contains(field) && item[field].is_string() && !item[field].get<std::string>().empty()) {
        fmt::print("{:<22}   {}: {}\n", "", field, item[field].get<std::string>());
      }
    };
    line("source");
    line("labels");
    line("note");
    line("metric");
    line("plugin");
    if (item.contains("exemptions")) {
      for (const Json& reason : item["exemptions"])
        fmt::print("{:<22}   exempt from invariant {}\n", "", reason.get<std::string>());
    }
    if (item.contains("fetched")) {
      fmt::print("{:<22}   {}\n", "", item["fetched"].get<bool>() ? item["path"].get<std::string>() : "not fetched");
    }
    if (!item.contains("params")) return;
    for (const Json& p : item["params"]) {
      if (what_ != "strategies" || !is_common(p)) print_param(p);
    }
  }

  static void print_param(const Json& p) {
    fmt::print("{:<22}   {} ({}, default {}): {}\n", "", p["name"].get<std::string>(), p["type"].get<std::string>(),
               p["default"].get<std::string>(), p["help"].get<std::string>());
  }

  /// Whether a strategy's parameter is every strategy's, with the same default: told once, behind all of them.
  bool is_common(const Json& param) const {
    return std::any_of(common_.begin(), common_.end(),
                       [&](const Json& p) { return p["name"] == param["name"] && p["default"] == param["default"]; });
  }

  void print_common() const {
    fmt::print("{:<22} takes these besides; one that has another default says so above\n", "every strategy");
    for (const Json& p : common_) print_param(p);
  }

  static void print_groups() {
    fmt::print("\ngroups, for a config's tasks and for 'kvmend table --where group=…':\n");
    for (const TaskGroup& group : list_task_groups()) fmt::print("{:<22} {} tasks\n", group.name, group.members.size());
  }

  const Json common_ = params_json(list_params<CommonOptions>());
  std::string what_, name_;
  bool long_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_list(CLI::App& app) { return std::make_unique<List>(app); }

}  // namespace kvmend
