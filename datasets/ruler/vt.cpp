// RULER's variable tracking (arXiv 2404.06654 §3.2): chains of assignments hidden in noise, behind one worked example.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/length_fit.h"
#include "datasets/registry.h"
#include "datasets/ruler/needles.h"

namespace kvmend {
namespace {

struct VtParams {
  int length = 4096;
  int samples = 500;
  std::int64_t seed = 42;
  int chains = 1;
  int hops = 4;
  int example_tokens = 500;
  int max_new_tokens = 30;
  template <class V>
  static void fields(VtParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together", at_least(1));
    v("samples", p.samples, "samples", between(1, 1000000));
    v("seed", p.seed, "sample i depends on the seed and i only");
    v("chains", p.chains, "chains hidden; the first one is asked for", between(1, 100));
    v("hops", p.hops, "assignments behind the first of a chain", between(1, 100));
    v("example_tokens", p.example_tokens, "the worked example takes at most as many tokens", at_least(1));
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

struct Chain {
  std::vector<std::string> names;
  std::string value;
};

/// "VAR X = 12345", "VAR Y = VAR X ", …; the blank at the end is upstream's.
std::vector<std::string> chain_lines(const Chain& chain) {
  std::vector<std::string> out{fmt::format("VAR {} = {}", chain.names[0], chain.value)};
  for (std::size_t i = 1; i < chain.names.size(); ++i) {
    out.push_back(fmt::format("VAR {} = VAR {} ", chain.names[i], chain.names[i - 1]));
  }
  return out;
}

/// Chains with names and values of their own.
std::vector<Chain> draw_chains(int n, int hops, int letters, std::set<std::string>& taken, Random& random) {
  const auto fresh = [&](auto draw) {
    for (;;) {
      std::string text = draw();
      if (taken.insert(text).second) return text;
    }
  };
  std::vector<Chain> out(static_cast<std::size_t>(n));
  for (Chain& chain : out) {
    chain.value = fresh([&] { return std::to_string(random.between(10000, 99999)); });
    for (int i = 0; i <= hops; ++i) chain.names.push_back(fresh([&] { return random_letters(letters, random); }));
  }
  return out;
}

/// A question with its context: the worked example and the sample itself have the same form.
struct Puzzle {
  std::string before = "Memorize and track the chain(s) of variable assignment hidden in the following text.\n\n";
  HiddenText context;
  std::string question;
  std::string answer_prefix;
  std::vector<std::string> names;
};

class VariableTracking final : public Task {
 public:
  using Params = VtParams;

  VariableTracking(const std::string& name, const VtParams& params, const TaskContext& context) : params_(params) {
    LengthSpec example;
    example.task = name + " (worked example)";
    example.length = params_.example_tokens;
    example.smallest = hidden_lines();
    example.build = [this](int index, int units) {
      TaskSample out;
      std::set<std::string> taken;
      out.query = example_text(index, units, taken);
      return out;
    };
    example.prompt_tokens = context.prompt_tokens;
    example_units_ = LengthFit(std::move(example)).units();

    LengthSpec spec = length_spec(name, params_, context);
    spec.smallest = hidden_lines();
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return "generated"; }

 private:
  enum Stream : std::uint64_t { example_stream, puzzle_stream };

  int hidden_lines() const { return params_.chains * (params_.hops + 1); }

  /// `taken`: names and values that are used already; they grow.
  Puzzle draw(Stream stream, int index, int units, int letters, std::set<std::string>& taken) const {
    Random random(static_cast<std::uint64_t>(params_.seed), stream, static_cast<std::uint64_t>(index));
    const auto chains = draw_chains(params_.chains, params_.hops, letters, taken, random);
    Puzzle out;
    out.context = hide_chains(chains, units, random);
    out.names = chains[0].names;
    out.question =
        fmt::format("Question: Find all variables that are assigned the value {} in the text above.", chains[0].value);
    out.answer_prefix = fmt::format(
        " Answer: According to the chain(s) of variable assignment in the text above, {} variables are assgined the "
        "value "
        "{}, they are: ",
        out.names.size(), chains[0].value);
    return out;
  }

  /// Every chain's lines at random places among the noise, in the chain's order; the needles are the first chain's.
  HiddenText hide_chains(const std::vector<Chain>& chains, int units, Random& random) const {
    // (line, first chain's index or -1); later chains are inserted among what is there.
    std::vector<std::pair<std::string, int>> lines(static_cast<std::size_t>(units), {std::string(noise_line), -1});
    for (std::size_t c = 0; c < chains.size(); ++c) {
      const auto texts = chain_lines(chains[c]);
      auto places = random.distinct(static_cast<int>(lines.size()), static_cast<int>(texts.size()));
      std::sort(places.begin(), places.end());
      for (std::size_t i = texts.size(); i-- > 0;) {
        lines.insert(lines.begin() + places[i], {texts[i], c == 0 ? static_cast<int>(i) : -1});
      }
    }
    HiddenText out;
    out.needles.resize(chains[0].names.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i > 0) out.text += '\n';
      if (lines[i].second >= 0) {
        out.needles[static_cast<std::size_t>(lines[i].second)] = {out.text.size(),
                                                                  out.text.size() + lines[i].first.size()};
      }
      out.text += lines[i].first;
    }
    return out;
  }

  /// `taken`: the sample's own names and values, which the example must not use.
  std::string example_text(int index, int units, std::set<std::string>& taken) const {
    const Puzzle shot = draw(Stream::example_stream, index, units, 3, taken);
    return shot.before + shot.context.text + "\n" + shot.question + shot.answer_prefix +
           fmt::format("{}", fmt::join(shot.names, " ")) + "\n\n\n";
  }

  TaskSample build(int index, int units) const {
    std::set<std::string> taken;
    Puzzle puzzle = draw(Stream::puzzle_stream, index, units, 5, taken);
    TaskSample out;
    out.id = fmt::format("vt-{}-{}", params_.seed, index);
    out.cluster = out.id;
    out.prefix = example_text(index, example_units_, taken) + puzzle.before;
    out.context = std::move(puzzle.context.text);
    out.evidence = std::move(puzzle.context.needles);
    out.query = "\n" + puzzle.question;
    out.question = {1, out.query.size()};
    out.answer_prefix = puzzle.answer_prefix;
    out.references = puzzle.names;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = "string_match_all";
    return out;
  }

  VtParams params_;
  int example_units_ = 0;
  std::unique_ptr<LengthFit> fit_;
};

KVMEND_TASK("ruler/vt", VariableTracking,
            {.summary = "follow a chain of variable assignments through noise",
             .source = "RULER, arXiv 2404.06654",
             .metric = "string_match_all"});

}  // namespace
}  // namespace kvmend
