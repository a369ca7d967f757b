// RULER's frequent words (arXiv 2404.06654 §3.3): coded words whose counts follow a zeta distribution.
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "datasets/length_fit.h"
#include "datasets/registry.h"
#include "datasets/ruler/words.h"

namespace kvmend {
namespace {

struct FweParams {
  int length = 4096;
  int samples = 500;
  std::int64_t seed = 42;
  double alpha = 2.0;
  int letters = 6;
  int words = 0;
  int max_new_tokens = 50;
  template <class V>
  static void fields(FweParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together", at_least(1));
    v("samples", p.samples, "samples", between(1, 1000000));
    v("seed", p.seed, "sample i depends on the seed and i only");
    v("alpha", p.alpha, "counts fall with rank to the power of -alpha", between(1.1, 10));
    v("letters", p.letters, "letters of a coded word", between(4, 20));
    v("words", p.words, "different words; 0: (length - max_new_tokens) / 50", between(0, 100000));
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

class FrequentWords final : public Task {
 public:
  using Params = FweParams;

  FrequentWords(const std::string& name, const FweParams& params, const TaskContext& context) : params_(params) {
    // Rank 1 is noise, ranks 2 to 4 are the answer. Ten words at least: as many as the smallest text shows, so that the
    // smallest length does not depend on the length.
    n_words_ = std::max(10, params_.words > 0 ? params_.words : (params_.length - params_.max_new_tokens) / 50);
    zeta_ = std::riemann_zeta(params_.alpha);
    LengthSpec spec = length_spec(name, params_, context);
    // From here on the last answer comes more often than the word behind it, whatever is rounded off.
    spec.smallest = static_cast<int>(std::ceil(1 / (share(4) - share(5))));
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return "generated"; }

 private:
  enum Stream : std::uint64_t { word_stream, order_stream };
  Random random(Stream stream, int index) const {
    return Random(static_cast<std::uint64_t>(params_.seed), stream, static_cast<std::uint64_t>(index));
  }

  /// Of all words, those that are the rank-th most frequent one (from 1).
  double share(int rank) const { return std::pow(rank, -params_.alpha) / zeta_; }

  std::vector<std::string> coded_words(int index) const {
    Random letters = random(Stream::word_stream, index);
    std::set<std::string> taken;
    std::vector<std::string> out{"..."};
    while (static_cast<int>(out.size()) < n_words_) {
      std::string word = random_letters(params_.letters, letters, 'a');
      if (taken.insert(word).second) out.push_back(std::move(word));
    }
    return out;
  }

  TaskSample build(int index, int units) const {
    const auto words = coded_words(index);
    std::vector<int> list;
    for (int w = 0; w < n_words_; ++w) {
      const int times = static_cast<int>(units * share(w + 1));
      if (times == 0) break;
      list.insert(list.end(), static_cast<std::size_t>(times), w);
    }
    Random order = random(Stream::order_stream, index);
    order.shuffle(list);
    TaskSample out;
    for (const int w : list) out.context += (out.context.empty() ? "" : " ") + words[static_cast<std::size_t>(w)];
    out.id = fmt::format("fwe-{}-{}", params_.seed, index);
    out.cluster = out.id;
    out.prefix =
        "Read the following coded text and track the frequency of each coded word. Find the three most frequently "
        "appeared coded words. ";
    out.query =
        "\nQuestion: Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently "
        "appeared words in the above coded text?";
    out.question = {1, out.query.size()};
    out.answer_prefix = " Answer: According to the coded text above, the three most frequently appeared words are:";
    out.references = {words[1], words[2], words[3]};
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = "string_match_all";
    return out;
  }

  FweParams params_;
  int n_words_ = 0;
  double zeta_ = 0;
  std::unique_ptr<LengthFit> fit_;
};

KVMEND_TASK("ruler/fwe", FrequentWords,
            {.summary = "the three most frequent words of a coded text",
             .source = "RULER, arXiv 2404.06654",
             .metric = "string_match_all",
             .groups = {"aggregation"}});

}  // namespace
}  // namespace kvmend
