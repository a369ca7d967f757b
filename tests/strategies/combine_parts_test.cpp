// What a composition (STRATEGIES §11) may have for parts, and what of theirs it keeps.
#include <set>

#include "composition.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

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

}  // namespace

TEST_CASE("combine: mistakes are said, and parts are part of the identity") {
  CHECK(composition_errors({}).find("combine needs scores") != std::string::npos);
  CHECK(composition_errors(map({{"scores", list({"prohpetkv"})}})).find("did you mean 'prophetkv'") !=
        std::string::npos);
  CHECK(composition_errors(map({{"scores", list({"epic"})}})).find("epic gives no scores; it can be `pinned`") !=
        std::string::npos);
  CHECK(composition_errors(map({{"scores", list({map({{"prophetkv", map({{"sink", "none"}})}})})}}))
            .find("'sink' belongs to the combination") != std::string::npos);
  CHECK(composition_errors(map({{"scores", list({"random"})}, {"weights", list({Value(1.0), Value(2.0)})}}))
            .find("2 weights for 1 scores") != std::string::npos);
  CHECK(composition_errors(
            map({{"scores", list({map({{"prophetkv", map({{"layers", list({Value(std::int64_t{-1})})}})}})})}}))
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

  CHECK(composition_errors(map({{"scores", list({"prophetkv", "infoflow"})}})) ==
        "combine: prophetkv has sink none by default, infoflow has shared_prefix; give combine its own `sink`\n");
  CHECK(composition_errors(map({{"scores", list({"infoflow"})}, {"pinned", "epic"}})).find("epic has none") !=
        std::string::npos);
  CHECK(composition_errors(map({{"scores", list({"random", "fusionrag"})}, {"sink", "none"}}))
            .find("random has neighbours 0 by default, fusionrag has 2") != std::string::npos);
  // Only the outermost can say what a composition inside a composition leaves open.
  const Value inner = map({{"combine", map({{"scores", list({"prophetkv", "infoflow"})}})}});
  CHECK(composition_errors(map({{"scores", list({inner})}})).find("give combine its own `sink`") != std::string::npos);
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
      CHECK(composition_errors(as_score) ==
            "c.yaml:3:7: combine: " + info.name + " gives no scores" + (chooses ? "; it can be `pinned`\n" : "\n"));
    if (chooses)
      CHECK(run("combine", as_base, 0.2).selected.size() == 21);
    else
      CHECK(composition_errors(as_base).starts_with("c.yaml:4:9: combine: " + info.name +
                                                    " does more than choose tokens"));

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
    CHECK(composition_errors(map({{"scores", list({nested})}})).find("belong to the outermost combination") !=
          std::string::npos);
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
        const std::string error = composition_errors(with(by, normalise));
        CHECK(error.starts_with("c.yaml:5:11: combine: "));
        CHECK(error.find("can have negative scores, which cannot be divided by their") != std::string::npos);
      }
      CHECK(strategy("combine", with(by, "none")));
    }
    CHECK(strategy("combine", with("rank", "sum")));
  }
}
