// A needle at every depth of contexts of every length (the grid of github.com/gkamradt/LLMTest_NeedleInAHaystack). There a
// model judges the answers; here they are scored by keyword recall or ROUGE-L.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"
#include "core/random.h"
#include "datasets/files.h"
#include "datasets/haystack/essay.h"
#include "datasets/length_fit.h"
#include "datasets/registry.h"
#include "eval/metric.h"

namespace kvmend {
namespace {

struct GridParams {
  int length = 4000;
  int depths = 35;
  int repeats = 1;
  int samples = 0;
  std::int64_t seed = 42;
  std::string needle =
      "The best thing to do in San Francisco is eat a sandwich and sit in Dolores Park on a sunny day.";
  std::string question = "What is the best thing to do in San Francisco?";
  std::string answer = "eat a sandwich and sit in Dolores Park on a sunny day";
  std::string essay{};
  std::string metric = "keyword_recall";
  int max_new_tokens = 50;
  template <class V>
  static void fields(GridParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together; a grid has a list of them", at_least(1));
    v("depths", p.depths, "depths from 0 to 100 %", between(1, 1001));
    v("repeats", p.repeats,
      "texts, each with the needle at every depth; a text's depths count as one question: intervals need several texts",
      between(1, 10000));
    v("samples", p.samples, "samples: all depths, then all of the next repeat; 0: all", at_least(0));
    v("seed", p.seed, "draws where the text begins");
    v("needle", p.needle, "the sentence that is hidden");
    v("question", p.question, "what it answers");
    v("answer", p.answer, "the answer as it is scored");
    v("essay", p.essay, "a text file to hide it in; empty: the built-in text");
    v("metric", p.metric, "how answers are scored");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

class NiahGrid final : public Task {
 public:
  using Params = GridParams;

  static void check(const GridParams& p, const Value& source, ParamErrors& errors) {
    const auto place = [&](const char* key) {
      const Value* value = source.find(key);
      return value ? value->where : source.where;
    };
    for (const auto& [key, text] : {std::pair{"needle", &p.needle}, {"question", &p.question}, {"answer", &p.answer}}) {
      if (text->empty()) errors.add(place(key), fmt::format("{} is empty", key));
    }
    if (p.samples > p.depths * p.repeats) {
      errors.add(place("samples"), fmt::format("samples is {}, but {} depths and {} repeats make {}", p.samples,
                                               p.depths, p.repeats, p.depths * p.repeats));
    }
    try {
      find_metric(p.metric);
    } catch (const Error& error) {
      errors.add(place("metric"), error.what());
    }
  }

  NiahGrid(const std::string& name, const GridParams& params, const TaskContext& context)
      : params_(params),
        essay_(params.essay.empty() ? Essay::generated()
                                    : Essay::from_file(find_data_file(params.essay, context.folder))) {
    if (params_.samples == 0) params_.samples = params_.depths * params_.repeats;
    choose_beginnings();
    LengthSpec spec = length_spec(name, params_, context);
    spec.smallest = 8;
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return essay_->identity(); }

 private:
  /// Every repeat's text begins at another sentence of the essay.
  void choose_beginnings() {
    constexpr int words = 20000, sentences = 500;
    essay_->reserve(words);
    const auto ends = essay_->sentences(words);
    const std::string_view text = essay_->text(words);
    const int choice = std::min(sentences, static_cast<int>(ends.size()));
    for (int r = 0; r < params_.repeats; ++r) {
      Random random(static_cast<std::uint64_t>(params_.seed), 0, static_cast<std::uint64_t>(r));
      const auto drawn = random.below(static_cast<std::uint64_t>(choice));
      const std::size_t begin = drawn == 0 ? 0 : ends[drawn - 1] + 1;
      words_before_.push_back(static_cast<int>(
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(begin, text.size())), ' ')));
    }
  }

  double depth_of(int index) const {
    return params_.depths == 1 ? 0 : 100.0 * (index % params_.depths) / (params_.depths - 1);
  }

  /// Behind the last sentence that ends before this share of the text; at 100 behind the text.
  static std::size_t place_in(std::string_view text, const std::vector<std::size_t>& ends, double depth) {
    if (depth >= 100) return text.size();
    const auto wanted = static_cast<std::size_t>(static_cast<double>(text.size()) * depth / 100);
    const auto after = std::upper_bound(ends.begin(), ends.end(), wanted);
    return after == ends.begin() ? 0 : *(after - 1);
  }

  TaskSample build(int index, int units) const {
    const int before = words_before_[static_cast<std::size_t>(index / params_.depths)];
    essay_->reserve(before + units);
    const std::size_t skipped = before == 0 ? 0 : essay_->text(before).size() + 1;
    const std::string_view text = essay_->text(before + units).substr(skipped);
    std::vector<std::size_t> ends;
    for (const std::size_t end : essay_->sentences(before + units)) {
      if (end > skipped && end - skipped < text.size()) ends.push_back(end - skipped);
    }
    const std::size_t at = place_in(text, ends, depth_of(index));
    TaskSample out;
    out.context = text.substr(0, at);
    if (at > 0) out.context += '\n';
    out.evidence = {{out.context.size(), out.context.size() + params_.needle.size()}};
    out.context += params_.needle;
    if (at < text.size()) out.context += '\n';
    out.context += text.substr(at < text.size() && text[at] == ' ' ? at + 1 : at);
    out.id = fmt::format("niah-{}-{:.1f}-{}-{}", params_.length, depth_of(index), params_.seed, index / params_.depths);
    // All depths of a text are one question; so are repeats that happen to begin at the same sentence.
    out.cluster = fmt::format("niah-{}-{}-from{}", params_.length, params_.seed, before);
    out.prefix = "Answer the question at the end from the following text alone, shortly and directly.\n\n";
    out.query = "\n\nQuestion: ";
    out.question.begin = out.query.size();
    out.query += params_.question;
    out.question.end = out.query.size();
    out.answer_prefix = " Answer:";
    out.references = {params_.answer};
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = params_.metric;
    return out;
  }

  GridParams params_;
  std::unique_ptr<Essay> essay_;
  std::vector<int> words_before_;  ///< of the essay, for each repeat
  std::unique_ptr<LengthFit> fit_;
};

/// 35 lengths from 1000 to 16000.
Value::List grid_lengths() {
  constexpr int n = 35, low = 1000, high = 16000;
  Value::List out;
  for (int i = 0; i < n; ++i) {
    out.emplace_back(static_cast<int>(std::lround(low + (high - low) * static_cast<double>(i) / (n - 1))));
  }
  return out;
}

KVMEND_TASK("niah/grid", NiahGrid,
            {.summary = "a needle at every depth of contexts of every length",
             .source = "construction: github.com/gkamradt/LLMTest_NeedleInAHaystack",
             .version = 2,
             .metric = "keyword_recall",
             .axes = {{"length", grid_lengths()}}});

}  // namespace
}  // namespace kvmend
