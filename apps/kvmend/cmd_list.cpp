#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/kvmend/commands.h"
#include "apps/kvmend/model_catalogue.h"
#include "apps/kvmend/plugin_option.h"
#include "core/error.h"
#include "datasets/chunker.h"
#include "datasets/task.h"
#include "eval/metric.h"
#include "experiment/table.h"
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

/// What kvmend knows, with parameters, sources and how sure each detail is.
class List final : public Command {
 public:
  explicit List(CLI::App& app) {
    app.add_option("what", what_, "strategies, tasks, metrics, chunkers, models or values (what table --value shows)")
        ->required()
        ->check(CLI::IsMember({"strategies", "tasks", "metrics", "chunkers", "models", "values"}));
    app.add_option("name", name_, "only this one");
    add_plugin_option(app);
    app.add_flag("--json", json_, "one JSON array");
  }

  int run() override {
    Json items = what_ == "strategies" ? strategies()
                 : what_ == "tasks"    ? tasks()
                 : what_ == "metrics"  ? metrics_json()
                 : what_ == "chunkers" ? chunkers()
                 : what_ == "values"   ? values()
                                       : models();
    if (!name_.empty()) {
      Json one = Json::array();
      for (const Json& item : items) {
        if (item["name"] == name_) one.push_back(item);
      }
      if (one.empty()) fail(ErrorKind::usage, "no {} called '{}'; see 'kvmend list {}'", what_, name_, what_);
      items = std::move(one);
    }
    if (json_) {
      fmt::print("{}\n", items.dump(2));
    } else {
      for (const Json& item : items) print(item);
    }
    return 0;
  }

 private:
  void print(const Json& item) const {
    fmt::print("{:<22} {}\n", item["name"].get<std::string>(), item["summary"].get<std::string>());
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
      fmt::print("{:<22}   {} ({}, default {}): {}\n", "", p["name"].get<std::string>(), p["type"].get<std::string>(),
                 p["default"].get<std::string>(), p["help"].get<std::string>());
    }
  }

  std::string what_, name_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_list(CLI::App& app) { return std::make_unique<List>(app); }

}  // namespace kvmend
