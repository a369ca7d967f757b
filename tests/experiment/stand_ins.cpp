// Small stand-ins for the registries above this layer. Weak: a build that links the real ones uses those.
#include <algorithm>

#include "core/error.h"
#include "core/suggest.h"
#include "datasets/chunker.h"
#include "datasets/task.h"
#include "eval/metric.h"
#include "model/chat.h"

#define KVMEND_WEAK __attribute__((weak))

namespace kvmend {
namespace {

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

}  // namespace

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

KVMEND_WEAK const MetricInfo& find_metric(std::string_view name) {
  static const MetricInfo contains{
      "string_match_all", "", "",
      [](std::string_view prediction, const std::vector<std::string>& references, const std::vector<std::string>&) {
        double found = 0;
        for (const auto& r : references) found += prediction.find(r) != std::string_view::npos;
        return references.empty() ? 0 : found / static_cast<double>(references.size());
      }};
  if (name != contains.name) fail(ErrorKind::usage, "unknown metric '{}'", name);
  return contains;
}

}  // namespace kvmend
