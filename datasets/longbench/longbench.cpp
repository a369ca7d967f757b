// LongBench (arXiv 2308.14508): 21 subsets, and LongBench-E's 13, from the files that the user downloaded.
#include <algorithm>

#include <fmt/format.h>

#include "core/data_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "datasets/files.h"
#include "datasets/longbench/prompts.h"
#include "datasets/longbench/rows.h"
#include "datasets/longbench/subsets.h"
#include "datasets/registry.h"
#include "datasets/truncate.h"
#include "eval/metric.h"

namespace kvmend {

/// LongBench-E's groups by length, in words (Chinese: characters) as the files count them.
enum class LengthBin : std::uint8_t { all, under_4k, under_8k, longer };
template <>
struct EnumNames<LengthBin> {
  static constexpr std::array names{std::pair{LengthBin::all, "all"}, std::pair{LengthBin::under_4k, "0-4k"},
                                    std::pair{LengthBin::under_8k, "4-8k"}, std::pair{LengthBin::longer, "8k+"}};
};

namespace {

struct LongBenchParams {
  std::string folder{}, file{}, prompts{};
  int samples = 0;
  LengthBin bin = LengthBin::all;
  int max_prompt = 0;
  int max_new_tokens = 0;
  std::string metric{};
  OnError on_error = OnError::error;
  template <class V>
  static void fields(LongBenchParams& p, V& v) {
    v("folder", p.folder, "where LongBench's files are; empty: where 'kvmend fetch longbench' puts them");
    v("file", p.file, "the subset's lines; empty: SUBSET.jsonl (LongBench-E: SUBSET_e.jsonl) in the folder");
    v("prompts", p.prompts, "the benchmark's prompts; empty: dataset2prompt.json in the folder");
    v("samples", p.samples, "samples, in the file's order; 0: all", at_least(0));
    v("bin", p.bin, "only samples of this length");
    v("max_prompt", p.max_prompt,
      "tokens of the prompt without chat format; longer ones lose their middle; 0: what the model's context allows",
      at_least(0));
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take; 0: the benchmark's", at_least(0));
    v("metric", p.metric, "how answers are scored; empty: as the benchmark does");
    v("on_error", p.on_error, "what a malformed line does");
  }
};

class LongBench final : public Task {
 public:
  using Params = LongBenchParams;

  static void check(const LongBenchParams& p, const Value& source, ParamErrors& errors) {
    if (p.metric.empty()) return;
    try {
      find_metric(p.metric);
    } catch (const Error& error) {
      const Value* metric = source.find("metric");
      errors.add(metric ? metric->where : source.where, error.what());
    }
  }

  static std::vector<std::string> missing(const std::string& name, const LongBenchParams& p) {
    std::vector<std::string> out;
    const auto folder = fetched_data_dir() / "longbench";
    const std::string lines = name.substr(name.find('/') + 1) + ".jsonl";
    if (p.folder.empty() && ((p.file.empty() && !path_exists(folder / lines)) ||
                             (p.prompts.empty() && !path_exists(folder / "dataset2prompt.json"))))
      out.emplace_back("longbench");
    try {
      const MetricInfo& metric = find_metric(p.metric.empty() ? longbench_subset(plain_name(name)).metric : p.metric);
      if (metric.check) metric.check();
    } catch (const Error& error) {  // a metric is only short of the dictionary for Chinese words
      if (error.kind() == ErrorKind::data) out.emplace_back("jieba");
    }
    return out;
  }

  LongBench(const std::string& name, const LongBenchParams& params, const TaskContext& context)
      : name_(name), params_(params), subset_(longbench_subset(plain_name(name))), context_(context) {
    const MetricInfo& metric = find_metric(params_.metric.empty() ? subset_.metric : params_.metric);
    params_.metric = metric.name;
    if (metric.check) metric.check();
    if (params_.max_new_tokens == 0) params_.max_new_tokens = subset_.max_new_tokens;
    const std::string base = name.substr(name.find('/') + 1);
    prompt_ = read_prompt_template(find_file(params_.prompts, "dataset2prompt.json"), subset_.name);
    file_ = read_longbench(find_file(params_.file, base + ".jsonl"), subset_.name, params_.on_error);
    const std::size_t all = file_.rows.size();
    std::erase_if(file_.rows, [&](const LongBenchRow& row) { return !in_bin(row); });
    if (file_.rows.empty()) {
      fail(ErrorKind::data, "{}: none of {}'s {} samples has a length of {}", name, file_.name, all,
           enum_name(params_.bin));
    }
    if (params_.samples > static_cast<int>(file_.rows.size())) {
      fail(ErrorKind::usage, "{}: samples is {}, but {} has {} (0: all)", name, params_.samples, file_.name,
           file_.rows.size());
    }
    if (params_.samples == 0) params_.samples = static_cast<int>(file_.rows.size());
  }

  int size() const override { return params_.samples; }

  std::string data_identity() const override {
    return fmt::format("{} sha256:{}, prompt sha256:{}, at most {} tokens", file_.name, file_.report.sha256,
                       prompt_.sha256, limit_text());
  }

  std::vector<std::string> notes() const override {
    if (file_.report.skipped.empty()) return {};
    return {fmt::format("{}: {} of {} lines skipped; the first: {}", file_.name, file_.report.skipped.size(),
                        file_.report.lines, file_.report.skipped.front())};
  }

  TaskSample sample(int i) const override {
    require(i >= 0 && i < params_.samples, "{}: sample {} of {}", name_, i, params_.samples);
    const LongBenchRow& row = file_.rows[static_cast<std::size_t>(i)];
    TaskSample out;
    out.id = row.id;
    out.cluster = row.id;
    out.prefix = prompt_.before;
    out.context = row.context;
    out.passages = document_starts(row.context);
    out.query = prompt_.after;
    out.question = {0, out.query.size()};
    constexpr std::string_view input = "{input}";
    if (const std::size_t at = out.query.find(input); at != std::string::npos) {
      out.query.replace(at, input.size(), row.input);
      if (!row.input.empty()) out.question = {at, at + row.input.size()};
    }
    out.references = row.answers;
    out.all_classes = row.all_classes;
    if (subset_.has(longbench::first_line)) out.stop = {"\n"};
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = params_.metric;
    out.raw = subset_.has(longbench::raw);
    fit(out);
    return out;
  }

 private:
  static std::string plain_name(const std::string& name) {
    const std::string base = name.substr(name.find('/') + 1);
    return base.ends_with("_e") ? base.substr(0, base.size() - 2) : base;
  }

  /// A file that is named, or one of the folder's.
  std::filesystem::path find_file(const std::string& given, const std::string& usual) const {
    if (!given.empty() && params_.folder.empty()) return find_data_file(given, context_.folder);
    const std::string name = given.empty() ? usual : given;
    if (!params_.folder.empty())
      return find_data_file((std::filesystem::path(params_.folder) / name).string(), context_.folder);
    const auto path = fetched_data_dir() / "longbench" / name;
    if (path_exists(path)) return path;
    fail(
        ErrorKind::data,
        "{}: {} is not there; 'kvmend fetch longbench' brings it where the hub can be reached; else download LongBench "
        "elsewhere and let 'folder' name where its .jsonl files and dataset2prompt.json are",
        name_, path.string());
  }

  bool in_bin(const LongBenchRow& row) const {
    constexpr int short_limit = 4000, middle_limit = 8000;
    switch (params_.bin) {
      case LengthBin::all: return true;
      case LengthBin::under_4k: return row.length < short_limit;
      case LengthBin::under_8k: return row.length >= short_limit && row.length < middle_limit;
      case LengthBin::longer: break;
    }
    return row.length >= middle_limit;
  }

  std::string limit_text() const {
    if (params_.max_prompt > 0) return fmt::format("{} prompt", params_.max_prompt);
    return context_.window > 0 ? fmt::format("{} context", context_.window) : "any number of";
  }

  /// Takes out the middle of what is too long.
  void fit(TaskSample& sample) const {
    if (params_.max_prompt > 0) {
      truncate_middle(sample, context_.token_spans(sample.prefix + sample.context + sample.query), params_.max_prompt);
      return;
    }
    if (context_.window == 0) return;
    // Joining the halves may make a token more, and the chat format brings its own: a second look settles it.
    for (;;) {
      const int excess = context_.prompt_tokens(sample) + params_.max_new_tokens - context_.window;
      if (excess <= 0) return;
      const auto tokens = context_.token_spans(sample.prefix + sample.context + sample.query);
      const int budget = static_cast<int>(tokens.size()) - excess;
      constexpr int fewest = 16;
      if (budget < fewest) {
        fail(ErrorKind::usage, "{}: the model's context of {} tokens leaves no room beside the answer's {}", name_,
             context_.window, params_.max_new_tokens);
      }
      truncate_middle(sample, tokens, budget);
    }
  }

  std::string name_;
  LongBenchParams params_;
  const LongBenchSubset& subset_;
  TaskContext context_;
  PromptTemplate prompt_;
  LongBenchFile file_;
};

bool register_all() {
  for (const LongBenchSubset& subset : longbench_subsets()) {
    const std::string category = subset.category;
    TaskInfo info{.summary = subset.summary, .source = "LongBench, arXiv 2308.14508", .metric = subset.metric};
    info.groups = {category, subset.has(longbench::chinese) ? "zh" : "en"};
    if (category.ends_with("_qa")) info.groups.emplace_back("qa");
    register_task(task_entry<LongBench>(fmt::format("longbench/{}", subset.name), info));
    if (!subset.has(longbench::even)) continue;
    info.summary += ", of even lengths";
    info.source = "LongBench-E, arXiv 2308.14508";
    info.groups = {"e"};
    info.in_all = false;
    register_task(task_entry<LongBench>(fmt::format("longbench/{}_e", subset.name), info));
  }
  return true;
}

[[maybe_unused]] const bool registered = register_all();

}  // namespace
}  // namespace kvmend
