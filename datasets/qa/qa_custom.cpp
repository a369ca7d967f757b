// Multi-document question answering over any file of questions with passages: distractors come from the other
// questions, the gold passage stands at a chosen depth (the construction of "Lost in the Middle", arXiv 2307.03172 §2).
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "datasets/files.h"
#include "datasets/qa/questions.h"
#include "datasets/registry.h"
#include "eval/metric.h"

namespace kvmend {

enum class Unanswerable : std::uint8_t { keep, drop };
template <>
struct EnumNames<Unanswerable> {
  static constexpr std::array names{std::pair{Unanswerable::keep, "keep"}, std::pair{Unanswerable::drop, "drop"}};
};

namespace {

constexpr const char* default_instruction =
    "Answer the question based on the given documents. Only give me the answer and do not output any other words.";

struct QaParams {
  std::string file = "builtin";
  int samples = 0;
  int passages = 10;
  std::vector<double> gold_at;
  std::int64_t seed = 42;
  bool numbered = false;
  std::string instruction = default_instruction;
  std::string metric = "substring";
  std::vector<std::string> stop;
  OnError on_error = OnError::error;
  Unanswerable unanswerable = Unanswerable::keep;
  int max_new_tokens = 32;
  template <class V>
  static void fields(QaParams& p, V& v) {
    v("file", p.file,
      "JSONL of {question, answers, passages: [{title, text, gold}]}, or HotpotQA's, 2WikiMultihopQA's, MuSiQue's or "
      "SQuAD's file; builtin: our own questions; cards: ours in the passages' own words, for small models");
    v("samples", p.samples, "samples: the questions in the file's order, each at every depth of gold_at; 0: all",
      at_least(0));
    v("passages", p.passages, "passages in a context, gold ones included; 0: only the question's own", at_least(0));
    v("gold_at", p.gold_at, "depths of the gold passages, 0 (first) to 1 (last); empty: random places");
    v("seed", p.seed, "draws distractors and their order");
    v("numbered", p.numbered, "head each passage with its number (its cache then depends on its place)");
    v("instruction", p.instruction, "said before the documents and again before the question");
    v("metric", p.metric, "how answers are scored");
    v("stop", p.stop, "texts that end an answer");
    v("on_error", p.on_error, "what a malformed line does");
    v("unanswerable", p.unanswerable, "questions whose answer is in none of their passages");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

class QaCustom final : public Task {
 public:
  using Params = QaParams;

  static void check(const QaParams& p, const Value& source, ParamErrors& errors) {
    if (const Value* depths = source.find("gold_at")) {
      for (std::size_t i = 0; i < p.gold_at.size(); ++i) {
        if (p.gold_at[i] >= 0 && p.gold_at[i] <= 1) continue;
        errors.add(depths->as_list()[i].where,
                   fmt::format("gold_at holds {}, must be between 0 and 1", format_number(p.gold_at[i])));
      }
    }
    try {
      find_metric(p.metric);
    } catch (const Error& error) {
      const Value* metric = source.find("metric");
      errors.add(metric ? metric->where : source.where, error.what());
    }
  }

  QaCustom(const std::string& name, const QaParams& params, const TaskContext& context) : name_(name), params_(params) {
    file_ = read_questions(question_file(context), params_.on_error);
    drop_unanswerable();
    const int all = static_cast<int>(file_.questions.size()) * n_depths();
    size_ = params_.samples == 0 ? all : params_.samples;
    if (size_ > all) {
      fail(ErrorKind::usage, "{}: samples is {}, but {} has {} questions and gold_at {} depths: {} (0: all)", name_,
           size_, file_.name, file_.questions.size(), n_depths(), all);
    }
    check_passages();
    for (const Passage& passage : file_.passages) folded_.push_back(fold_text(passage.text));
  }

  int size() const override { return size_; }
  std::string data_identity() const override { return file_.identity(); }
  std::vector<std::string> notes() const override { return notes_; }

  TaskSample sample(int i) const override {
    require(i >= 0 && i < size_, "{}: sample {} of {}", name_, i, size_);
    const auto q = static_cast<std::size_t>(i / n_depths());
    const Question& question = file_.questions[q];
    TaskSample out;
    out.id = fmt::format("{}-{}-{}", question.id, params_.seed, i % n_depths());
    out.cluster = question.id;
    write_context(out, question, arrange(q, i % n_depths()));
    out.prefix = params_.instruction.empty() ? "" : params_.instruction + "\n\nThe following are given documents.\n\n";
    out.query = params_.instruction.empty() ? "\n\n" : "\n\n" + params_.instruction + "\n\n";
    out.query += "Question: ";
    out.question.begin = out.query.size();
    out.query += question.question;
    out.question.end = out.query.size();
    out.answer_prefix = " Answer:";
    out.references = question.answers;
    out.stop = params_.stop;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = params_.metric;
    return out;
  }

 private:
  struct Placed {
    int passage;
    bool gold;
  };

  int n_depths() const { return std::max(1, static_cast<int>(params_.gold_at.size())); }

  std::filesystem::path question_file(const TaskContext& context) const {
    if (params_.file.empty() || params_.file == "builtin") return shipped_file("qa_builtin.jsonl");
    if (params_.file == "cards") return shipped_file("qa_cards.jsonl");
    return find_data_file(params_.file, context.folder);
  }

  /// Every question that will be asked has room for its gold passages: said now, not in the middle of a sweep.
  void check_passages() const {
    if (params_.passages == 0) return;
    for (int q = 0; q * n_depths() < size_; ++q) {
      const Question& question = file_.questions[static_cast<std::size_t>(q)];
      if (static_cast<int>(question.gold.size()) <= params_.passages) continue;
      fail(ErrorKind::usage, "{}: passages is {}, but question '{}' of {} has {} gold passages", name_,
           params_.passages, question.id, file_.name, question.gold.size());
    }
  }

  void drop_unanswerable() {
    auto& questions = file_.questions;
    const std::size_t before = questions.size();
    const auto missing = static_cast<std::size_t>(
        std::count_if(questions.begin(), questions.end(), [](const Question& q) { return !q.answerable; }));
    if (params_.unanswerable == Unanswerable::drop)
      std::erase_if(questions, [](const Question& q) { return !q.answerable; });
    if (missing > 0) {
      notes_.push_back(fmt::format("{}: {} of {} questions have their answer in none of their passages ({})",
                                   file_.name, missing, before,
                                   params_.unanswerable == Unanswerable::drop ? "left out" : "kept"));
    }
    if (!file_.report.skipped.empty()) {
      notes_.push_back(fmt::format("{}: {} of {} lines skipped; the first: {}", file_.name, file_.report.skipped.size(),
                                   file_.report.lines, file_.report.skipped.front()));
    }
    if (questions.empty()) fail(ErrorKind::data, "{}: no question has its answer in its passages", file_.name);
  }

  /// Other questions' passages in a random order that depends on (seed, question) only; none contains an answer or
  /// repeats a passage that is there already.
  std::vector<int> distractors(std::size_t q, std::set<std::string_view>& present, std::size_t wanted) const {
    std::vector<int> out;
    Random random(static_cast<std::uint64_t>(params_.seed), 0, q);
    std::vector<int> order(file_.passages.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = 0; i < order.size() && out.size() < wanted; ++i) {
      std::swap(order[i], order[i + static_cast<std::size_t>(random.below(order.size() - i))]);
      const std::string& text = folded(order[i]);
      if (present.contains(text) || contains_answer(text, file_.questions[q].answers)) continue;
      present.insert(text);
      out.push_back(order[i]);
    }
    return out;
  }

  const std::string& folded(int passage) const { return folded_[static_cast<std::size_t>(passage)]; }

  std::vector<Placed> arrange(std::size_t q, int depth) const {
    const Question& question = file_.questions[q];
    const std::vector<int>& gold = question.gold;
    std::vector<int> rest = question.others;
    std::set<std::string_view> present;
    for (const int passage : gold) present.insert(folded(passage));
    for (const int passage : rest) present.insert(folded(passage));
    if (params_.passages > 0) {
      const auto total = static_cast<std::size_t>(params_.passages);
      if (rest.size() > total - gold.size()) rest.resize(total - gold.size());
      const std::size_t wanted = total - gold.size() - rest.size();
      const auto drawn = distractors(q, present, wanted);
      if (drawn.size() < wanted) {
        fail(ErrorKind::usage, "{}: question '{}' needs {} passages, but {} has only {} that fit it; lower 'passages'",
             name_, question.id, total, file_.name, total - wanted + drawn.size());
      }
      rest.insert(rest.end(), drawn.begin(), drawn.end());
    }
    Random random(static_cast<std::uint64_t>(params_.seed), 1, q);
    random.shuffle(rest);
    std::vector<Placed> out;
    for (const int passage : rest) out.push_back({passage, false});
    if (params_.gold_at.empty()) {
      for (const int passage : gold) {
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(random.below(out.size() + 1)), {passage, true});
      }
    } else {
      // Several gold passages stay together; depth 1 puts them last.
      auto at = std::lround(params_.gold_at[static_cast<std::size_t>(depth)] * static_cast<double>(rest.size()));
      for (const int passage : gold) out.insert(out.begin() + at++, {passage, true});
    }
    return out;
  }

  void write_context(TaskSample& out, const Question& question, const std::vector<Placed>& placed) const {
    if (placed.empty()) fail(ErrorKind::data, "{}: question '{}' has no passages", file_.name, question.id);
    for (std::size_t i = 0; i < placed.size(); ++i) {
      if (i > 0) out.context += "\n\n";
      const std::size_t begin = out.context.size();
      out.passages.push_back(begin);
      if (params_.numbered) out.context += fmt::format("Document {}:\n", i + 1);
      const Passage& passage = file_.passages[static_cast<std::size_t>(placed[i].passage)];
      if (!passage.title.empty()) out.context += passage.title + "\n";
      out.context += passage.text;
      if (placed[i].gold) out.evidence.push_back({begin, out.context.size()});
    }
  }

  std::string name_;
  QaParams params_;
  QuestionFile file_;
  std::vector<std::string> folded_;  ///< of every passage, for comparing
  std::vector<std::string> notes_;
  int size_ = 0;
};

KVMEND_TASK("qa_custom", QaCustom,
            {.summary = "questions over passages, gold among distractors at chosen depths",
             .source = "construction: arXiv 2307.03172",
             .metric = "substring"});

}  // namespace
}  // namespace kvmend
