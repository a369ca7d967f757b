// Compositions (STRATEGIES §11): scores as one, a pinned base, budgets by chunk.
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "paths.h"
#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

Engine& engine() {
  static const RandomModel files(14);
  static Engine shared(files, {"cpu", DType::f32, 2});
  return shared;
}

const Request& request() {
  static const Request made = random_request({8, 40, 25, 33}, true, 11, 4);
  return made;
}

Value map(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value out{Value::Map{}};
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}
Value list(std::initializer_list<Value> items) { return Value::List(items); }

Outcome run(const std::string& name, const Value& params, double ratio, const Request& what = request()) {
  return run_cell(engine(), what, strategy(name, params), ratio).outcome;
}

std::string score_file(const std::string& name, int n, int first) {
  const std::string path = binary_folder() + "/" + name;
  std::ofstream file(path);
  file << R"({"id": "", "scores": [)";
  for (int i = 0; i < n; ++i) file << (i ? "," : "") << first + i;
  file << "]}\n";
  return path;
}

/// A strategy as a part: a name, with the parameters that it cannot do without.
Value part(const std::string& name) {
  if (name == "cacheclip" || name == "speccache")
    return map({{name.c_str(), map({{"aux_model", source_folder() + "/tests/data/models/tiny-llama.gguf"}})}});
  if (name == "from_file")
    return map({{"from_file", map({{"path", score_file("combine_scores.jsonl", request().n_context(), 0)}})}});
  if (name == "combine") return map({{"combine", map({{"scores", list({"prophetkv", "random"})}})}});
  return name;
}

Value at(Value value, int line, int column) {
  value.where = {"c.yaml", line, column};
  return value;
}

std::string error_of(const Value& params) {
  ParamErrors errors;
  CHECK(make_strategy("combine", {}, params, errors) == nullptr);
  std::string all;
  for (const auto& message : errors.messages) all += message + "\n";
  return all;
}

double sum_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += v;
  return sum;
}

}  // namespace

TEST_CASE("combine: weighted sum and maximum of scores, each divided by its sum or its largest") {
  const auto a = run("prophetkv", {}, 0.2).scores, b = run("random", {}, 0.2).scores;
  for (const char* normalise : {"sum", "max", "none"}) {
    const auto divisor = [&](const std::vector<float>& v) {
      return normalise == std::string("sum")   ? sum_of(v)
             : normalise == std::string("max") ? *std::max_element(v.begin(), v.end())
                                               : 1.0;
    };
    for (const char* by : {"sum", "max"}) {
      CAPTURE(normalise, by);
      const auto found = run("combine",
                             map({{"scores", list({"prophetkv", "random"})},
                                  {"weights", list({Value(2.0), Value(0.5)})},
                                  {"normalise", normalise},
                                  {"by", by}}),
                             0.2);
      REQUIRE(found.scores.size() == a.size());
      for (std::size_t j = 0; j < a.size(); ++j) {
        const double x = 2 * a[j] / divisor(a), y = 0.5 * b[j] / divisor(b);
        CHECK(found.scores[j] == Approx(by == std::string("sum") ? x + y : std::max(x, y)).epsilon(1e-5));
      }
      CHECK(found.selected.size() == 21);
    }
  }
}

TEST_CASE("combine: rank fusion is minus the mean descending rank; one part alone is that part") {
  const auto a = run("prophetkv", {}, 0.2), b = run("random", {}, 0.2);
  const auto rank = [](const std::vector<float>& scores, std::size_t j) {
    int before = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
      before += scores[i] > scores[j] || (scores[i] == scores[j] && i < j);
    return before;
  };
  const auto found = run("combine", map({{"scores", list({"prophetkv", "random"})}, {"by", "rank"}}), 0.2);
  for (std::size_t j = 0; j < found.scores.size(); ++j) {
    CHECK(found.scores[j] == Approx(-0.5 * (rank(a.scores, j) + rank(b.scores, j))));
  }
  for (const char* by : {"sum", "max", "rank"}) {
    const auto alone =
        run("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "max"}})}})})}, {"by", by}}), 0.3);
    CHECK(alone.selected == run("prophetkv", map({{"fusion", "max"}}), 0.3).selected);
  }
}

TEST_CASE("combine: a pinned base is taken first and counts") {
  const Value both = map({{"scores", list({"prophetkv"})}, {"pinned", map({{"epic", map({{"k", std::int64_t{3}}})}})}});
  const auto found = run("combine", both, 0.2);
  CHECK(found.selected.size() == 21);
  for (const int begin : {8, 48, 73}) {
    for (int i = begin; i < begin + 3; ++i) CHECK(std::binary_search(found.selected.begin(), found.selected.end(), i));
  }
  // The rest is what prophetkv likes best of the others.
  const auto alone = run("prophetkv", {}, 0.2);
  std::vector<int> rest;
  for (const int i : found.selected) {
    if (!(i - 8 < 3 || (i >= 48 && i < 51) || (i >= 73 && i < 76))) rest.push_back(i);
  }
  CHECK(std::includes(alone.selected.begin(), alone.selected.end(), rest.begin(), rest.end()));
  CHECK(run("combine", both, 0.02).selected == std::vector<int>{8, 9});  // the base alone exceeds it
}

TEST_CASE("combine: budgets by chunk") {
  const auto found = run("combine", map({{"scores", list({"prophetkv"})}, {"budget", "chunk"}}), 0.3);
  const auto inside = [&](int begin, int end) {
    return std::count_if(found.selected.begin(), found.selected.end(), [&](int i) { return i >= begin && i < end; });
  };
  CHECK(inside(0, 8) == 0);
  CHECK(inside(8, 48) == 12);
  CHECK(inside(48, 73) == 7);
  CHECK(inside(73, 106) == 9);
  for (const int i : found.selected) {
    const int begin = i < 48 ? 8 : i < 73 ? 48 : 73, end = i < 48 ? 48 : i < 73 ? 73 : 106;
    int better = 0;
    for (int j = begin; j < end; ++j) {
      better += found.scores[static_cast<std::size_t>(j)] > found.scores[static_cast<std::size_t>(i)];
    }
    CHECK(better < inside(begin, end));
  }
}

TEST_CASE("combine: by chunk too, r = 1 takes everything, and what is exact comes after all else") {
  const Value by_chunk = map({{"scores", list({"prophetkv"})}, {"budget", "chunk"}});
  const auto with = [&](const char* key, const Value& value) {
    Value out = by_chunk;
    out.set(key, value);
    return out;
  };
  const Request bare = random_request({45, 70, 60}, false, 11, 4);
  const auto inside = [](const Outcome& found, int begin, int end) {
    return std::count_if(found.selected.begin(), found.selected.end(), [&](int i) { return i >= begin && i < end; });
  };
  for (const Request* what : {&request(), &bare}) {
    std::vector<int> all(static_cast<std::size_t>(what->n_context()));
    std::iota(all.begin(), all.end(), 0);
    CHECK(run("combine", by_chunk, 1, *what).selected == all);
    CHECK(run("combine", by_chunk, 0, *what).selected.empty());
    const auto last = run("combine", with("freshness", "last_token"), 1, *what);
    CHECK(last.selected == all);
    REQUIRE(last.selected_query);
    CHECK(last.selected_query->size() == 10);
  }
  const auto most = run("combine", by_chunk, 0.9, bare);
  CHECK(inside(most, 0, 45) == 0);  // exact without a prefix before it
  CHECK(inside(most, 45, 115) == 63);
  CHECK(inside(most, 115, 175) == 54);
  const auto competing = run("combine", with("exact_rows", "compete"), 0.9, bare);
  CHECK(inside(competing, 0, 45) == 40);
  CHECK(competing.selected.size() == 40 + 63 + 54);
  // Pinned tokens are taken wherever they are, the first of them where a chunk's share holds no more.
  CHECK(run("combine", with("pinned", "lego2"), 0.3, bare).selected == run("lego2", {}, 0.3, bare).selected);
  const auto whole = run("combine", with("pinned", "full"), 0.1, bare);
  CHECK(whole.selected == std::vector<int>{0, 1, 2, 3, 45, 46, 47, 48, 49, 50, 51, 115, 116, 117, 118, 119, 120});
}

TEST_CASE("combine: mistakes are said, and parts are part of the identity") {
  CHECK(error_of({}).find("combine needs scores") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"prohpetkv"})}})).find("did you mean 'prophetkv'") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"epic"})}})).find("epic gives no scores; it can be `pinned`") !=
        std::string::npos);
  CHECK(error_of(map({{"scores", list({map({{"prophetkv", map({{"sink", "none"}})}})})}}))
            .find("'sink' belongs to the combination") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"random"})}, {"weights", list({Value(1.0), Value(2.0)})}}))
            .find("2 weights for 1 scores") != std::string::npos);
  CHECK(error_of(map({{"scores", list({map({{"prophetkv", map({{"layers", list({Value(std::int64_t{-1})})}})}})})}}))
            .find("layers must be increasing") != std::string::npos);
  const auto one = strategy("combine", map({{"scores", list({"prophetkv"})}}));
  const auto same = strategy("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "mean"}})}})})}}));
  const auto other = strategy("combine", map({{"scores", list({map({{"prophetkv", map({{"fusion", "max"}})}})})}}));
  CHECK(one->canonical.canonical() == same->canonical.canonical());
  CHECK(one->canonical.canonical() != other->canonical.canonical());
}

TEST_CASE("combine: what its parts are made for is not dropped: their sink, their neighbours, what they rank last") {
  const auto options = [](std::initializer_list<Value> scores) {
    return strategy("combine", map({{"scores", list(scores)}}))->options;
  };
  CHECK(options({"prophetkv", "random"}).sink == SinkKind::none);
  CHECK(options({"infoflow"}).sink == SinkKind::shared_prefix);
  CHECK(options({"infoflow", part("cacheclip")}).sink == SinkKind::shared_prefix);
  CHECK(options({"fusionrag"}).neighbours == 2);
  CHECK(strategy("combine", map({{"scores", list({"infoflow"})}, {"sink", "none"}}))->options.sink == SinkKind::none);
  for (const double ratio : {0.1, 0.3}) {
    CHECK(run("combine", map({{"scores", list({"infoflow"})}}), ratio).selected == run("infoflow", {}, ratio).selected);
    CHECK(run("combine", map({{"scores", list({"fusionrag"})}}), ratio).selected ==
          run("fusionrag", {}, ratio).selected);
    // Without the sink the first passage is not exact, but infoflow ranks it last.
    const Value bare = map({{"sink", "none"}});
    const auto alone = run("combine", map({{"scores", list({"infoflow"})}, {"sink", "none"}}), ratio);
    CHECK(alone.selected == run("infoflow", bare, ratio).selected);
    CHECK(alone.selected.front() >= 48);
  }
  const auto both = run("combine", map({{"scores", list({"infoflow", "prophetkv"})}, {"sink", "none"}}), 0.3);
  CHECK(both.selected.front() < 48);  // prophetkv does not

  CHECK(error_of(map({{"scores", list({"prophetkv", "infoflow"})}})) ==
        "combine: prophetkv has sink none by default, infoflow has shared_prefix; give combine its own `sink`\n");
  CHECK(error_of(map({{"scores", list({"infoflow"})}, {"pinned", "epic"}})).find("epic has none") != std::string::npos);
  CHECK(error_of(map({{"scores", list({"random", "fusionrag"})}, {"sink", "none"}}))
            .find("random has neighbours 0 by default, fusionrag has 2") != std::string::npos);
  // Only the outermost can say what a composition inside a composition leaves open.
  const Value inner = map({{"combine", map({{"scores", list({"prophetkv", "infoflow"})}})}});
  CHECK(error_of(map({{"scores", list({inner})}})).find("give combine its own `sink`") != std::string::npos);
  const auto outer = strategy("combine", map({{"scores", list({inner, "random"})}, {"sink", "shared_prefix"}}));
  CHECK(outer->options.sink == SinkKind::shared_prefix);
}

TEST_CASE("combine: every strategy is accepted for its scores or for its choice, or refused beforehand") {
  const std::set<std::string> scored{"a3",        "cacheclip", "combine",          "from_file", "fusionrag",
                                     "infoflow",  "kvshare",   "oracle_attention", "oracle_kv", "oracle_output",
                                     "prophetkv", "qcfuse",    "random",           "speccache"};
  const std::set<std::string> does_more{"agentkvshift",    "ape",   "cacheblend",       "cacheblend_lmcache",
                                        "cacheblend_repo", "psr",   "infoflow_reorder", "kvshare",
                                        "no_context",      "samkv", "reuse_local"};
  for (const auto& info : list_strategies()) {
    CAPTURE(info.name);
    const bool scores = scored.contains(info.name), chooses = !does_more.contains(info.name);
    const Value common = map({{"sink", "none"}, {"neighbours", std::int64_t{0}}});
    Value as_score = common, as_base = common;
    as_score.set("scores", Value::List{at(part(info.name), 3, 7)});
    as_base.set("scores", list({"prophetkv"}));
    as_base.set("pinned", at(part(info.name), 4, 9));
    if (scores)
      CHECK(strategy("combine", as_score));
    else
      CHECK(error_of(as_score) ==
            "c.yaml:3:7: combine: " + info.name + " gives no scores" + (chooses ? "; it can be `pinned`\n" : "\n"));
    if (chooses)
      CHECK(run("combine", as_base, 0.2).selected.size() == 21);
    else
      CHECK(error_of(as_base).starts_with("c.yaml:4:9: combine: " + info.name + " does more than choose tokens"));

    // What a selector says of itself is what its plans are.
    const Value made = part(info.name);
    const auto alone = strategy(info.name, made.is_map() ? made.as_map().front().value : Value());
    ReusedContext context(engine(), request(), reuse_key(alone->options), 1);
    RequestProbe probe(engine(), context, "");
    const Plan plan = alone->selector->plan(probe, make_budget(0.3, context.n_candidates(), alone->options.exact_rows));
    CHECK(only_selects(plan) == chooses);
    CHECK(alone->selector->only_selects() == chooses);
  }
  const Value no_decode = map({{"kvshare", map({{"decode_interval", std::int64_t{0}}})}});
  CHECK(strategy("combine", map({{"scores", list({"prophetkv"})}, {"pinned", no_decode}})));
  for (const auto& [key, value] : {std::pair<const char*, Value>{"pinned", "epic"}, {"budget", "chunk"}}) {
    const Value nested = map({{"combine", map({{"scores", list({"prophetkv"})}, {key, value}})}});
    CHECK(error_of(map({{"scores", list({nested})}})).find("belong to the outermost combination") != std::string::npos);
  }
}

TEST_CASE("combine: scores below 0 are refused beforehand where they would be divided") {
  const int n = request().n_context();
  const Value ranked = map({{"prophetkv", map({{"fusion", "rank"}})}});
  const Value below = map({{"from_file", map({{"path", score_file("combine_below.jsonl", n, -1)}})}});
  const Value inner = map({{"combine", map({{"scores", list({"prophetkv"})}, {"by", "rank"}})}});
  const Value wrapped = map({{"combine", map({{"scores", list({ranked})}, {"normalise", "none"}})}});
  for (const Value& negative : {ranked, below, inner, wrapped, map({{"fusionrag", map({{"fusion", "rank"}})}})}) {
    CAPTURE(negative.flow());
    const auto with = [&](const char* by, const char* normalise) {
      return map({{"scores", Value::List{at(negative, 5, 11)}}, {"by", by}, {"normalise", normalise}});
    };
    for (const char* by : {"sum", "max"}) {
      for (const char* normalise : {"sum", "max"}) {
        const std::string error = error_of(with(by, normalise));
        CHECK(error.starts_with("c.yaml:5:11: combine: "));
        CHECK(error.find("can have negative scores, which cannot be divided by their") != std::string::npos);
      }
      CHECK(strategy("combine", with(by, "none")));
    }
    CHECK(strategy("combine", with("rank", "sum")));
  }
}

TEST_CASE("any strategy takes a temper, a write-back and a freshness") {
  for (const char* name : {"epic", "prophetkv", "cacheblend", "combine"}) {
    CAPTURE(name);
    Value params = name == std::string("combine") ? map({{"scores", list({"prophetkv"})}}) : map({});
    const auto plain = run_cell(engine(), request(), strategy(name, params), 0.3);
    const auto with = [&](const char* key, const Value& value) {
      Value changed = params;
      changed.set(key, value);
      return run_cell(engine(), request(), strategy(name, changed), 0.3);
    };
    CHECK(with("temperature", Value(1.0)).logits == plain.logits);
    for (const auto& [key, value] : {std::pair<const char*, Value>{"temperature", Value(0.8)},
                                     {"temper_scale", Value(0.7)},
                                     {"write_back", "fusion"},
                                     {"freshness", "last_token"}}) {
      CAPTURE(key);
      const auto changed = with(key, value);
      CHECK(largest_difference(changed.logits, plain.logits) > 1e-3);
      // CacheBlend chooses inside the pass, from states that a write-back changes.
      const bool same_choice =
          key != std::string("freshness") && !(name == std::string("cacheblend") && key == std::string("write_back"));
      if (same_choice) CHECK(changed.outcome.selected == plain.outcome.selected);
    }
  }
}
