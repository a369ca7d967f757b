// RULER's common words (arXiv 2404.06654 §3.3): a numbered list in which ten words come more often, behind one worked
// example.
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/files.h"
#include "datasets/length_fit.h"
#include "datasets/registry.h"
#include "datasets/ruler/vocabulary.h"

namespace kvmend {
namespace {

struct CweParams {
  int length = 4096;
  int samples = 500;
  std::int64_t seed = 42;
  int common = 10;
  std::optional<int> common_times{}, other_times{};
  std::string words{};
  int max_new_tokens = 120;
  template <class V>
  static void fields(CweParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together", at_least(1));
    v("samples", p.samples, "samples", between(1, 1000000));
    v("seed", p.seed, "sample i depends on the seed and i only");
    v("common", p.common, "words to find", between(1, 50));
    v("common_times", p.common_times, "how often each of them comes; null: 30, below 4096 tokens 6", at_least(2));
    v("other_times", p.other_times, "how often every other word comes; null: 3, below 4096 tokens 1", at_least(1));
    v("words", p.words, "a file of words; empty: the built-in ones");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

/// How many different words, and how often.
struct Mix {
  int words, common_times, other_times;
};

class CommonWords final : public Task {
 public:
  using Params = CweParams;

  static void check(const CweParams& p, const Value& source, ParamErrors& errors) {
    const Mix mix = list_mix(p, p.common);
    if (mix.common_times > mix.other_times) return;
    const Value* given = source.find("other_times");
    errors.add(given ? given->where : source.where,
               fmt::format("common_times is {} and other_times {}: the first must be larger", mix.common_times,
                           mix.other_times));
  }

  CommonWords(const std::string& name, const CweParams& params, const TaskContext& context)
      : params_(params),
        vocabulary_(params.words.empty() ? Vocabulary::built_in()
                                         : Vocabulary::from_file(find_data_file(params.words, context.folder))) {
    LengthSpec spec = length_spec(name, params_, context);
    spec.smallest = params_.common + 1;
    spec.largest = vocabulary_.size();
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return "generated, " + vocabulary_.identity(); }

 private:
  static bool is_short(const CweParams& p) { return p.length < 4096; }
  static Mix list_mix(const CweParams& p, int words) {
    return {words, p.common_times.value_or(is_short(p) ? 6 : 30), p.other_times.value_or(is_short(p) ? 1 : 3)};
  }
  Mix example_mix() const {
    const int words = std::max(is_short(params_) ? 20 : 40, params_.common);
    return is_short(params_) ? Mix{words, 3, 1} : Mix{words, 10, 3};
  }

  enum Stream : std::uint64_t { example_words, list_words, example_order, list_order };
  Random random(Stream stream, int index) const {
    return Random(static_cast<std::uint64_t>(params_.seed), stream, static_cast<std::uint64_t>(index));
  }

  /// "1. w 2. w …", and the words to find.
  std::pair<std::string, std::vector<std::string>> numbered_list(const Mix& mix, Random words_random,
                                                                 Random order_random) const {
    std::vector<std::string> words = vocabulary_.draw(mix.words, words_random);
    std::vector<int> list;
    for (int w = 0; w < mix.words; ++w) {
      list.insert(list.end(), static_cast<std::size_t>(w < params_.common ? mix.common_times : mix.other_times), w);
    }
    order_random.shuffle(list);
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) {
      text += fmt::format("{}{}. {}", i > 0 ? " " : "", i + 1, words[static_cast<std::size_t>(list[i])]);
    }
    words.resize(static_cast<std::size_t>(params_.common));
    return {std::move(text), std::move(words)};
  }

  TaskSample build(int index, int units) const {
    const std::string before =
        "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that "
        "appear most often.\n";
    const std::string question =
        fmt::format("Question: What are the {} most common words in the above list?", params_.common);
    const std::string answer =
        fmt::format(" Answer: The top {} words that appear most often in the list are:", params_.common);
    auto [shown, shown_words] =
        numbered_list(example_mix(), random(Stream::example_words, index), random(Stream::example_order, index));
    TaskSample out;
    out.id = fmt::format("cwe-{}-{}", params_.seed, index);
    out.cluster = out.id;
    out.prefix = before + shown + "\n" + question + answer;
    for (std::size_t i = 0; i < shown_words.size(); ++i) out.prefix += fmt::format(" {}. {}", i + 1, shown_words[i]);
    out.prefix += "\n" + before;
    std::tie(out.context, out.references) =
        numbered_list(list_mix(params_, units), random(Stream::list_words, index), random(Stream::list_order, index));
    out.query = "\n" + question;
    out.question = {1, out.query.size()};
    out.answer_prefix = answer;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = "string_match_all";
    return out;
  }

  CweParams params_;
  Vocabulary vocabulary_;
  std::unique_ptr<LengthFit> fit_;
};

KVMEND_TASK("ruler/cwe", CommonWords,
            {.summary = "the ten most common words of a long list",
             .source = "RULER, arXiv 2404.06654",
             .metric = "string_match_all",
             .groups = {"aggregation"}});

}  // namespace
}  // namespace kvmend
