// RULER's question answering (arXiv 2404.06654 §3.4): SQuAD's or HotpotQA's questions among as many paragraphs as fit.
#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "core/data_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "core/random.h"
#include "datasets/files.h"
#include "datasets/length_fit.h"
#include "datasets/qa/questions.h"
#include "datasets/registry.h"

namespace kvmend {
namespace {

struct RulerQaParams {
  int length = 4096;
  int samples = 500;
  std::int64_t seed = 42;
  std::string file{};
  OnError on_error = OnError::error;
  int max_new_tokens = 32;
  std::string dataset = "squad/dev-v2.0.json";  ///< no parameter: what an empty `file` stands for
  template <class V>
  static void fields(RulerQaParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together", at_least(1));
    v("samples", p.samples, "samples, one a question, in the file's order; 0: all", between(0, 1000000));
    v("seed", p.seed, "draws the other documents and their order");
    v("file", p.file, "questions in any form that qa_custom reads; empty: what 'kvmend fetch' brought");
    v("on_error", p.on_error, "what a malformed question does");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

class RulerQa final : public Task {
 public:
  using Params = RulerQaParams;

  RulerQa(const std::string& name, const RulerQaParams& params, const TaskContext& context)
      : name_(name.substr(name.find('/') + 1)), params_(params) {
    file_ = read_questions(find_file(name, context), params_.on_error);
    const int all = static_cast<int>(file_.questions.size());
    if (params_.samples == 0) params_.samples = all;
    if (params_.samples > all) {
      fail(ErrorKind::usage, "{}: samples is {}, but {} has {} questions (0: all)", name, params_.samples, file_.name,
           all);
    }
    LengthSpec spec = length_spec(name, params_, context);
    spec.largest = static_cast<int>(file_.passages.size());
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  static std::vector<std::string> missing(const std::string&, const RulerQaParams& params) {
    if (!params.file.empty() || path_exists(fetched_data_dir() / params.dataset)) return {};
    return {data_set(params)};
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return file_.identity(); }
  std::vector<std::string> notes() const override {
    std::vector<std::string> out;
    if (!file_.report.skipped.empty()) {
      out.push_back(fmt::format("{}: {} of {} questions skipped; the first: {}", file_.name,
                                file_.report.skipped.size(), file_.report.lines, file_.report.skipped.front()));
    }
    if (fit_->units() == static_cast<int>(file_.passages.size())) {
      out.push_back(fmt::format("{}: all its {} documents are shorter than {} tokens", file_.name,
                                file_.passages.size(), params_.length));
    }
    return out;
  }

 private:
  std::filesystem::path find_file(const std::string& name, const TaskContext& context) const {
    if (!params_.file.empty()) return find_data_file(params_.file, context.folder);
    const auto path = fetched_data_dir() / params_.dataset;
    if (path_exists(path)) return path;
    fail(ErrorKind::data, "{}: {} is not there; 'kvmend fetch {}' brings it, or 'file' names a file of questions", name,
         path.string(), data_set(params_));
  }
  /// What `kvmend fetch` calls it.
  static std::string data_set(const RulerQaParams& params) {
    return params.dataset.substr(0, params.dataset.find('/'));
  }

  enum Stream : std::uint64_t { document_stream, order_stream };
  Random random(Stream stream, int index) const {
    return Random(static_cast<std::uint64_t>(params_.seed), stream, static_cast<std::uint64_t>(index));
  }

  /// The gold documents, then the question's own others, then any, up to `units`: each drawn in an order that does not
  /// depend on how many are drawn.
  std::vector<int> documents(const Question& question, int index, int units) const {
    Random draw = random(Stream::document_stream, index);
    std::vector<int> out = question.gold, others = question.others;
    const auto wanted = std::max(static_cast<std::size_t>(units), std::max<std::size_t>(out.size(), 1));
    draw.shuffle(others);
    for (std::size_t i = 0; i < others.size() && out.size() < wanted; ++i) out.push_back(others[i]);
    std::set<int> present(out.begin(), out.end());
    std::vector<int> all(file_.passages.size());
    std::iota(all.begin(), all.end(), 0);
    for (std::size_t i = 0; i < all.size() && out.size() < wanted; ++i) {
      std::swap(all[i], all[i + static_cast<std::size_t>(draw.below(all.size() - i))]);
      if (!present.contains(all[i])) out.push_back(all[i]);
    }
    Random order = random(Stream::order_stream, index);
    order.shuffle(out);
    return out;
  }

  TaskSample build(int index, int units) const {
    constexpr const char* instruction =
        "Answer the question based on the given documents. Only give me the answer and do not output any other words.";
    const Question& question = file_.questions[static_cast<std::size_t>(index)];
    TaskSample out;
    int number = 0;
    for (const int document : documents(question, index, units)) {
      if (number > 0) out.context += "\n\n";
      const std::size_t begin = out.context.size();
      const Passage& passage = file_.passages[static_cast<std::size_t>(document)];
      out.passages.push_back(begin);
      out.context += fmt::format("Document {}:\n", ++number);
      if (!passage.title.empty()) out.context += passage.title + "\n";
      out.context += passage.text;
      const auto& gold = question.gold;
      if (std::find(gold.begin(), gold.end(), document) != gold.end()) {
        out.evidence.push_back({begin, out.context.size()});
      }
    }
    out.id = fmt::format("{}-{}-{}", name_, params_.seed, question.id);
    out.cluster = question.id;
    out.prefix = fmt::format("{}\n\nThe following are given documents.\n\n", instruction);
    out.query = fmt::format("\n\n{}\n\nQuestion: ", instruction);
    out.question.begin = out.query.size();
    out.query += question.question;
    out.question.end = out.query.size();
    out.answer_prefix = " Answer:";
    out.references = question.answers;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = "string_match_part";
    return out;
  }

  std::string name_;
  RulerQaParams params_;
  QuestionFile file_;
  std::unique_ptr<LengthFit> fit_;
};

TaskInfo info(const char* summary) {
  return {.summary = summary, .source = "RULER, arXiv 2404.06654", .metric = "string_match_part", .groups = {"qa"}};
}

KVMEND_TASK("ruler/qa_1", RulerQa, info("SQuAD's questions among as many paragraphs as fit"));
KVMEND_TASK("ruler/qa_2", RulerQa, info("HotpotQA's questions among as many paragraphs as fit"),
            {.dataset = "hotpotqa/hotpot_dev_distractor_v1.json"});

}  // namespace
}  // namespace kvmend
