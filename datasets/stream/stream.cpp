// Prompts in the order they arrived, as they are: what KV cache recycling is measured on.
#include <fmt/format.h>

#include "core/error.h"
#include "datasets/files.h"
#include "datasets/registry.h"
#include "datasets/stream/prompts.h"
#include "eval/metric.h"

namespace kvmend {
namespace {

struct StreamParams {
  std::string file{};
  int samples = 0;
  std::string metric = "exact_match";
  OnError on_error = OnError::error;
  int max_new_tokens = 64;
  template <class V>
  static void fields(StreamParams& p, V& v) {
    v("file", p.file, "JSONL of {prompt}, in arrival order");
    v("samples", p.samples, "prompts, from the first on; 0: all", at_least(0));
    v("metric", p.metric, "how answers are scored where a line has 'answers'");
    v("on_error", p.on_error, "what a malformed line does");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

class Stream final : public Task {
 public:
  using Params = StreamParams;

  static void check(const StreamParams& p, const Value& source, ParamErrors& errors) {
    try {
      find_metric(p.metric);
    } catch (const Error& error) {
      const Value* metric = source.find("metric");
      errors.add(metric ? metric->where : source.where, error.what());
    }
  }

  Stream(const std::string& name, const StreamParams& params, const TaskContext& context) : params_(params) {
    if (params_.file.empty()) fail(ErrorKind::usage, "{}: 'file' is missing: JSON lines of {{prompt}}", name);
    stream_ = read_prompts(find_data_file(params_.file, context.folder), params_.on_error);
    const int all = static_cast<int>(stream_.prompts.size());
    if (params_.samples > all) {
      fail(ErrorKind::usage, "{}: samples is {}, but {} has {} prompts (0: all)", name, params_.samples, stream_.name,
           all);
    }
    if (params_.samples == 0) params_.samples = all;
  }

  int size() const override { return params_.samples; }
  std::string data_identity() const override { return stream_.name + " sha256:" + stream_.report.sha256; }
  std::vector<std::string> notes() const override {
    if (stream_.report.skipped.empty()) return {};
    return {fmt::format("{}: {} of {} lines skipped; the first: {}", stream_.name, stream_.report.skipped.size(),
                        stream_.report.lines, stream_.report.skipped.front())};
  }

  TaskSample sample(int i) const override {
    require(i >= 0 && i < params_.samples, "stream: sample {} of {}", i, params_.samples);
    const StreamPrompt& prompt = stream_.prompts[static_cast<std::size_t>(i)];
    TaskSample out;
    out.id = prompt.id;
    out.cluster = prompt.id;
    out.query = prompt.text;
    out.question = {0, out.query.size()};
    out.references = prompt.answers;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = params_.metric;
    return out;
  }

 private:
  StreamParams params_;
  PromptStream stream_;
};

KVMEND_TASK("stream", Stream,
            {.summary = "prompts in arrival order, for KV cache recycling",
             .source = "the user's file",
             .metric = "exact_match"});

}  // namespace
}  // namespace kvmend
