// Small stand-ins for the registries above this layer. Weak: a build that links the real ones uses those.
#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"
#include "datasets/chunker.h"
#include "datasets/task.h"
#include "model/chat.h"
#include "recompute/strategy.h"

#define KVMEND_WEAK __attribute__((weak))

namespace kvmend {
namespace {

struct NoParams {
  template <class V>
  static void fields(NoParams&, V&) {}
};
struct RandomParams {
  int seed = 0;
  template <class V>
  static void fields(RandomParams& p, V& v) {
    v("seed", p.seed, "seed");
  }
};
enum class Fusion : std::uint8_t { mean, max };
}  // namespace
template <>
struct EnumNames<Fusion> {
  static constexpr std::array names{std::pair{Fusion::mean, "mean"}, std::pair{Fusion::max, "max"}};
};
namespace {
struct ProphetParams {
  Fusion fusion = Fusion::mean;
  template <class V>
  static void fields(ProphetParams& p, V& v) {
    v("fusion", p.fusion, "how layers combine");
  }
};
struct AuxParams {
  std::string aux_model;
  int window = 8;
  template <class V>
  static void fields(AuxParams& p, V& v) {
    v("aux_model", p.aux_model, "auxiliary model");
    v("window", p.window, "tokens", at_least(1));
  }
};
struct TaskParams {
  int length = 1024, samples = 50;
  std::int64_t seed = 42;
  template <class V>
  static void fields(TaskParams& p, V& v) {
    v("length", p.length, "tokens", at_least(64));
    v("samples", p.samples, "how many", at_least(1));
    v("seed", p.seed, "seed");
  }
};

template <class P>
struct WithCommon {
  P own;
  CommonOptions common;
  template <class V>
  static void fields(WithCommon& p, V& v) {
    P::fields(p.own, v);
    CommonOptions::fields(p.common, v);
  }
};

template <class P>
std::shared_ptr<const Strategy> build(const StrategyInfo& info, const Value& params, ParamErrors& errors) {
  const std::size_t before = errors.messages.size();
  WithCommon<P> p;
  read_params(p, params, errors);
  if (errors.messages.size() != before) return nullptr;
  Strategy s;
  s.info = info;
  s.options = p.common;
  s.canonical = print_params(p);
  s.canonical.erase("as");
  s.canonical.set("strategy", info.name);
  s.canonical.set("version", info.version);
  s.label = p.common.as;
  if (s.label.empty()) {
    std::string given;
    if (params.is_map()) {
      for (const auto& e : params.as_map()) given += (given.empty() ? "" : ", ") + e.key + ": " + e.value.flow();
    }
    s.label = given.empty() ? info.name : info.name + " (" + given + ")";
  }
  return std::make_shared<const Strategy>(std::move(s));
}

StrategyInfo info_of(const std::string& name, bool ratio, std::vector<ParamInfo> params) {
  StrategyInfo info;
  info.name = name;
  info.uses_ratio = ratio;
  info.params = std::move(params);
  return info;
}

}  // namespace

KVMEND_WEAK std::vector<StrategyInfo> list_strategies() {
  const auto none = list_params<WithCommon<NoParams>>();
  return {info_of("full", false, none),      info_of("no_context", false, none),
          info_of("reuse", false, none),     info_of("random", true, list_params<WithCommon<RandomParams>>()),
          info_of("epic", true, none),       info_of("prophetkv", true, list_params<WithCommon<ProphetParams>>()),
          info_of("cacheblend", true, none), info_of("cacheclip", true, list_params<WithCommon<AuxParams>>())};
}

KVMEND_WEAK std::shared_ptr<const Strategy> make_strategy(const std::string& name, const Location& where,
                                                          const Value& params, ParamErrors& errors) {
  for (const auto& info : list_strategies()) {
    if (info.name != name) continue;
    if (name == "random") return build<RandomParams>(info, params, errors);
    if (name == "prophetkv") return build<ProphetParams>(info, params, errors);
    if (name == "cacheclip") return build<AuxParams>(info, params, errors);
    return build<NoParams>(info, params, errors);
  }
  errors.add(where, "unknown strategy '" + name + "'");
  return nullptr;
}

KVMEND_WEAK std::vector<Value> expand_axes(const Value& params, const std::vector<ParamInfo>& infos) {
  std::vector<Value> out{params};
  if (!params.is_map()) return out;
  for (const auto& entry : params.as_map()) {
    const auto info = std::find_if(infos.begin(), infos.end(), [&](const ParamInfo& p) { return p.name == entry.key; });
    if (info == infos.end() || info->is_list || !entry.value.is_list()) continue;
    std::vector<Value> next;
    for (const auto& base : out) {
      for (const auto& one : entry.value.as_list()) {
        next.push_back(base);
        next.back().set(entry.key, one);
      }
    }
    out = next;
  }
  return out;
}

KVMEND_WEAK std::vector<TaskInfo> list_tasks() {
  std::vector<TaskInfo> out;
  for (const char* name : {"ruler/niah_single_1", "ruler/niah_multikey_1", "ruler/vt", "qa_custom"}) {
    TaskInfo info;
    info.name = name;
    info.metric = "string_match_all";
    info.params = list_params<TaskParams>();
    out.push_back(info);
  }
  return out;
}

KVMEND_WEAK std::vector<std::string> expand_task_group(const std::string& name, const Location& where) {
  if (name == "ruler/niah") return {"ruler/niah_single_1", "ruler/niah_multikey_1"};
  std::vector<std::string> names;
  for (const auto& info : list_tasks()) {
    if (info.name == name) return {name};
    names.push_back(info.name);
  }
  fail(ErrorKind::usage, "{}unknown task '{}'{}", where.prefix(), name, did_you_mean(name, names));
}

KVMEND_WEAK Value check_task(const std::string&, const Location&, const Value& params, ParamErrors& errors) {
  TaskParams p;
  read_params(p, params, errors);
  return print_params(p);
}

namespace {
struct FakeChunker final : Chunker {
  std::string kind = "fixed";
  std::int64_t size = 512;
  std::vector<int> cut(std::string_view, std::span<const Token> tokens, std::span<const std::size_t>) const override {
    return {static_cast<int>(tokens.size())};
  }
  Value canonical() const override {
    Value v = Value::Map{};
    v.set(kind, size);
    return v;
  }
};
}  // namespace

KVMEND_WEAK std::unique_ptr<Chunker> make_chunker(const Value& spec) {
  auto out = std::make_unique<FakeChunker>();
  const std::string name = spec.is_map() ? spec.as_map().front().key : spec.as_string();
  if (name != "fixed" && name != "sentence") {
    fail(ErrorKind::usage, "{}unknown chunker '{}'{}", spec.where.prefix(), name,
         did_you_mean(name, {"fixed", "sentence"}));
  }
  out->kind = name;
  if (spec.is_map()) out->size = spec.as_map().front().value.as_int();
  return out;
}

KVMEND_WEAK std::vector<std::string> chat_format_names() { return {"raw", "chatml", "llama3"}; }

}  // namespace kvmend
