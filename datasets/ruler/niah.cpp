// RULER's eight needle tasks (arXiv 2404.06654 §3.1): one construction, eight sets of defaults.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/error.h"
#include "datasets/files.h"
#include "datasets/haystack/essay.h"
#include "datasets/length_fit.h"
#include "datasets/registry.h"
#include "datasets/ruler/needles.h"

namespace kvmend {

enum class Haystack : std::uint8_t { noise, essay, needles };

template <>
struct EnumNames<Haystack> {
  static constexpr std::array names{std::pair{Haystack::noise, "noise"}, std::pair{Haystack::essay, "essay"},
                                    std::pair{Haystack::needles, "needles"}};
};
template <>
struct EnumNames<NeedleKind> {
  static constexpr std::array names{std::pair{NeedleKind::word, "word"}, std::pair{NeedleKind::number, "number"},
                                    std::pair{NeedleKind::uuid, "uuid"}};
};

namespace {

struct NiahParams {
  int length = 4096;
  int samples = 500;
  std::int64_t seed = 42;
  Haystack haystack = Haystack::essay;
  NeedleKind key = NeedleKind::word, value = NeedleKind::number;
  int keys = 1, values = 1, queries = 1;
  std::string essay{};
  int max_new_tokens = 128;
  template <class V>
  static void fields(NiahParams& p, V& v) {
    v("length", p.length, "tokens of the prompt and the answer together", at_least(1));
    v("samples", p.samples, "samples", between(1, 1000000));
    v("seed", p.seed, "sample i depends on the seed and i only");
    v("haystack", p.haystack, "what the needles are hidden in");
    v("key", p.key, "kind of the needles' keys");
    v("value", p.value, "kind of their values");
    v("keys", p.keys, "keys hidden", between(1, 1000));
    v("values", p.values, "values of each key", between(1, 1000));
    v("queries", p.queries, "keys asked for", between(1, 1000));
    v("essay", p.essay, "a text file to use as the essay; empty: the built-in text");
    v("max_new_tokens", p.max_new_tokens, "tokens the answer may take", at_least(1));
  }
};

/// "a", "a, and b", "a, b, and c".
std::string join_queries(const std::vector<std::string>& queries) {
  if (queries.size() == 1) return queries.front();
  std::string out;
  for (std::size_t i = 0; i + 1 < queries.size(); ++i) out += queries[i] + ", ";
  return out + "and " + queries.back();
}

/// n different texts of a kind, none of them in `taken`, which they join.
std::vector<std::string> distinct_texts(NeedleKind kind, int n, std::set<std::string>& taken, Random& random) {
  std::vector<std::string> out;
  while (static_cast<int>(out.size()) < n) {
    std::string text = random_needle_text(kind, random);
    if (taken.insert(text).second) out.push_back(std::move(text));
  }
  return out;
}

class Niah final : public Task {
 public:
  using Params = NiahParams;

  static void check(const NiahParams& p, const Value& source, ParamErrors& errors) {
    const auto refuse = [&](const char* key, std::string text) {
      const Value* value = source.find(key);
      errors.add(value ? value->where : source.where, std::move(text));
    };
    if (p.queries > p.keys)
      refuse("queries", fmt::format("queries is {}, but only {} keys are hidden", p.queries, p.keys));
    constexpr int depths = 40;
    if (p.haystack == Haystack::essay && p.keys * p.values > depths) {
      refuse("keys", fmt::format("{} needles, but an essay has {} depths to hide them at", p.keys * p.values, depths));
    }
    if (p.haystack != Haystack::essay && !p.essay.empty()) refuse("essay", "essay is given, but haystack is not essay");
  }

  Niah(const std::string& name, const NiahParams& params, const TaskContext& context)
      : name_(name.substr(name.find('/') + 1)), params_(params) {
    if (params_.haystack == Haystack::essay) {
      essay_ =
          params_.essay.empty() ? Essay::generated() : Essay::from_file(find_data_file(params_.essay, context.folder));
    }
    LengthSpec spec = length_spec(name, params_, context);
    spec.smallest = params_.haystack == Haystack::essay ? 1 : params_.keys * params_.values;
    spec.build = [this](int index, int units) { return build(index, units); };
    fit_ = std::make_unique<LengthFit>(std::move(spec));
  }

  int size() const override { return params_.samples; }
  TaskSample sample(int i) const override { return fit_->sample(i); }
  std::string data_identity() const override { return essay_ ? "generated, " + essay_->identity() : "generated"; }

 private:
  // Independent random sequences of a sample, so that more haystack never changes the needles.
  enum Stream : std::uint64_t { needles, queries, haystack, places };
  Random random(Stream stream, int index) const {
    return Random(static_cast<std::uint64_t>(params_.seed), stream, static_cast<std::uint64_t>(index));
  }

  TaskSample build(int index, int units) const {
    Random needle_random = random(Stream::needles, index);
    std::set<std::string> taken;
    const auto keys = distinct_texts(params_.key, params_.keys, taken, needle_random);
    std::vector<std::vector<std::string>> values;
    struct Needle {
      int key;
      std::string text;
    };
    std::vector<Needle> hidden;
    for (int k = 0; k < params_.keys; ++k) {
      values.push_back(distinct_texts(params_.value, params_.values, taken, needle_random));
      for (const auto& value : values.back()) {
        hidden.push_back({k, needle_sentence(params_.value, keys[static_cast<std::size_t>(k)], value)});
      }
    }
    needle_random.shuffle(hidden);
    std::vector<std::string> texts;
    for (const auto& needle : hidden) texts.push_back(needle.text);
    HiddenText context = hide(texts, taken, index, units);

    Random query_random = random(Stream::queries, index);
    const std::vector<int> asked = query_random.distinct(params_.keys, params_.queries);
    TaskSample out;
    std::vector<std::string> asked_keys;
    for (const int k : asked) {
      asked_keys.push_back(keys[static_cast<std::size_t>(k)]);
      for (const auto& value : values[static_cast<std::size_t>(k)]) out.references.push_back(value);
    }
    for (std::size_t n = 0; n < hidden.size(); ++n) {
      if (std::find(asked.begin(), asked.end(), hidden[n].key) != asked.end())
        out.evidence.push_back(context.needles[n]);
    }
    out.context = std::move(context.text);
    out.id = fmt::format("{}-{}-{}", name_, params_.seed, index);
    phrase(out, join_queries(asked_keys));
    return out;
  }

  HiddenText hide(const std::vector<std::string>& needle_texts, std::set<std::string>& taken, int index,
                  int units) const {
    Random place_random = random(Stream::places, index);
    if (params_.haystack == Haystack::essay) {
      essay_->reserve(units);
      return hide_in_sentences(essay_->text(units), essay_->sentences(units), needle_texts, place_random);
    }
    std::vector<std::string> lines(static_cast<std::size_t>(units), std::string(noise_line));
    if (params_.haystack == Haystack::needles) {
      Random line_random = random(Stream::haystack, index);
      for (auto& line : lines) {
        const auto key = distinct_texts(params_.key, 1, taken, line_random).front();
        line = needle_sentence(params_.value, key, distinct_texts(params_.value, 1, taken, line_random).front());
      }
    }
    return hide_in_lines(lines, needle_texts, place_random);
  }

  /// Instruction, question and answer prefix; all in the singular when one value is asked for.
  void phrase(TaskSample& out, const std::string& query) const {
    std::string noun = needle_noun(params_.value);
    const bool one = out.references.size() == 1;
    if (one) noun.pop_back();
    out.prefix = fmt::format(
        "{} special magic {} {} hidden within the following text. Make sure to memorize it. I will quiz you about the "
        "{} "
        "afterwards.\n",
        one ? "A" : "Some", noun, one ? "is" : "are", noun);
    out.query = fmt::format("\nWhat {} the special magic {} for {} mentioned in the provided text?",
                            one ? "is" : "are all", noun, query);
    out.question = {1, out.query.size()};
    out.answer_prefix =
        fmt::format(" The special magic {} for {} mentioned in the provided text {}", noun, query, one ? "is" : "are");
    out.cluster = out.id;
    out.max_new_tokens = params_.max_new_tokens;
    out.metric = "string_match_all";
  }

  std::string name_;
  NiahParams params_;
  std::unique_ptr<Essay> essay_;
  std::unique_ptr<LengthFit> fit_;
};

/// `kind`: single and multikey are reported as means of three tasks, and so are groups of their own.
TaskInfo info(const char* summary, const char* kind = nullptr) {
  TaskInfo out{
      .summary = summary, .source = "RULER, arXiv 2404.06654", .metric = "string_match_all", .groups = {"niah"}};
  if (kind) out.groups.emplace_back(kind);
  return out;
}

using enum NeedleKind;

KVMEND_TASK("ruler/niah_single_1", Niah, info("one needle in noise: word key, number value", "niah_single"),
            {.haystack = Haystack::noise});
KVMEND_TASK("ruler/niah_single_2", Niah, info("one needle in an essay: word key, number value", "niah_single"));
KVMEND_TASK("ruler/niah_single_3", Niah, info("one needle in an essay: word key, uuid value", "niah_single"),
            {.value = uuid});
KVMEND_TASK("ruler/niah_multikey_1", Niah, info("four keys in an essay, one asked", "niah_multikey"), {.keys = 4});
KVMEND_TASK("ruler/niah_multikey_2", Niah,
            info("one needle among other needles: word key, number value", "niah_multikey"),
            {.haystack = Haystack::needles});
KVMEND_TASK("ruler/niah_multikey_3", Niah,
            info("one needle among other needles: uuid key, uuid value", "niah_multikey"),
            {.haystack = Haystack::needles, .key = uuid, .value = uuid});
KVMEND_TASK("ruler/niah_multivalue", Niah, info("one key with four values in an essay"), {.values = 4});
KVMEND_TASK("ruler/niah_multiquery", Niah, info("four keys in an essay, all asked"), {.keys = 4, .queries = 4});

}  // namespace
}  // namespace kvmend
