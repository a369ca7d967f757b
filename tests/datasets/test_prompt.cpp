#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "fakes.h"

using namespace kvmend;

namespace {

TaskSample small_sample() {
  TaskSample s;
  s.id = "s-0";
  s.prefix = "Read this.\n";
  s.context = "First doc here.\n\nNext doc holds gold.\n\nLast doc.";
  s.passages = {0, 17, 39};
  s.query = "\nWhat is it?";
  s.question = {1, 12};
  s.answer_prefix = " It is";
  s.evidence = {{17, 37}};
  return s;
}

struct Setup {
  FakeTokenizer tokenizer;
  FakeChat chat = raw_chat();
  std::unique_ptr<Chunker> chunker = make_chunker("passage");
  PromptOptions options() { return {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()}; }
};

std::string text_of(const Prompt& prompt, int begin, int end) {
  if (begin >= end) return "";
  const auto& r = prompt.request;
  const std::size_t from = r.token_begin[static_cast<std::size_t>(begin)];
  return r.text.substr(from, r.token_end[static_cast<std::size_t>(end) - 1] - from);
}

std::vector<std::string> unit_texts(const Prompt& prompt) {
  std::vector<std::string> out;
  for (const auto& unit : prompt.request.units) out.push_back(text_of(prompt, unit.begin, unit.end));
  return out;
}

std::vector<std::int32_t> all_ids(const Request& request) {
  auto ids = request.context_ids;
  ids.insert(ids.end(), request.query_ids.begin(), request.query_ids.end());
  return ids;
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a raw prompt is prefix, context, query and answer prefix as they are") {
  Setup setup;
  const Prompt prompt = build_prompt(small_sample(), setup.options());
  CHECK(prompt.request.text == "Read this.\nFirst doc here.\n\nNext doc holds gold.\n\nLast doc.\nWhat is it? It is");
  // ".\n" is one token: the query's line break moves to the end of the token it is in.
  CHECK(unit_texts(prompt) ==
        Strings{"Read this.\n", "First doc here.\n\n", "Next doc holds gold.\n\n", "Last doc.\n"});
  CHECK(prompt.request.has_prefix());
  const int n = prompt.request.n_context();
  CHECK(text_of(prompt, n, prompt.request.n_tokens()) == "What is it? It is");
  CHECK(text_of(prompt, n + prompt.request.question_begin, n + prompt.request.question_end) == "What is it?");
  REQUIRE(prompt.evidence.size() == 1);
  CHECK(text_of(prompt, prompt.evidence[0].first, prompt.evidence[0].second) == "Next doc holds gold.\n\n");
  CHECK_FALSE(prompt.evidence_cut[0]);
  CHECK(prompt.request.text.substr(prompt.answer_begin) == " It is");
  CHECK(count_prompt_tokens(small_sample(), setup.options()) == prompt.request.n_tokens());
}

TEST_CASE("a chat format's head joins the prefix unit, its tail the query; the answer prefix loses its space") {
  Setup setup;
  setup.chat = turn_chat();
  auto options = setup.options();
  Prompt prompt = build_prompt(small_sample(), options);
  CHECK(unit_texts(prompt).front() == "<|user|>\nRead this.\n");
  CHECK(prompt.request.text.ends_with("What is it?<|end|>\n<|assistant|>\nIt is"));
  const int n = prompt.request.n_context();
  CHECK(text_of(prompt, n + prompt.request.question_begin, n + prompt.request.question_end) == "What is it?");
  options.keep_answer_space = true;
  options.system = "Be kind. ";
  prompt = build_prompt(small_sample(), options);
  CHECK(prompt.request.text.starts_with("<|user|>\nBe kind. Read"));
  CHECK(prompt.request.text.ends_with("<|assistant|>\n It is"));
}

TEST_CASE("BOS begins a prompt once, and every unit with keep_bos") {
  const auto bos_of_units = [](bool has, bool adds, const char* head, bool keep) {
    const FakeTokenizer tokenizer(has, adds);
    const FakeChat chat(head, "");
    const auto chunker = make_chunker("passage");
    const Prompt prompt = build_prompt(
        small_sample(), {.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get(), .keep_bos = keep});
    const Request& request = prompt.request;
    CHECK_NOTHROW(check_request(request, tokenizer.vocab_size(), 1 << 20));
    CHECK(request.units.front().kind == UnitKind::prefix);
    const auto [begin, end] = prompt.evidence.at(0);
    CHECK_THAT(text_of(prompt, begin, end), Catch::Contains("Next doc holds gold."));
    std::vector<int> counts;
    for (const Unit& unit : request.units) {
      const auto first = request.context_ids.begin() + unit.begin;
      counts.push_back(static_cast<int>(std::count(first, first + unit.size(), 0)));
      if (counts.back() > 0) CHECK(*first == 0);
    }
    CHECK(std::count(request.query_ids.begin(), request.query_ids.end(), 0) == 0);
    return counts;
  };
  using Counts = std::vector<int>;
  CHECK(bos_of_units(true, false, "", false) == Counts{0, 0, 0, 0});
  CHECK(bos_of_units(true, false, "", true) == Counts{1, 1, 1, 1});
  CHECK(bos_of_units(true, true, "", false) == Counts{1, 0, 0, 0});
  CHECK(bos_of_units(true, true, "", true) == Counts{1, 1, 1, 1});
  CHECK(bos_of_units(true, true, "<s>", true) == Counts{1, 1, 1, 1});
  CHECK(bos_of_units(true, false, "<s>", false) == Counts{1, 0, 0, 0});
  CHECK(bos_of_units(false, false, "", true) == Counts{0, 0, 0, 0});  // no BOS: a run refuses it
}

TEST_CASE("no prefix at all, or only a BOS") {
  TaskSample sample = small_sample();
  sample.prefix.clear();
  Setup setup;
  CHECK_FALSE(build_prompt(sample, setup.options()).request.has_prefix());
  CHECK(unit_texts(build_prompt(sample, setup.options())).size() == 3);
  setup.tokenizer = FakeTokenizer(true, true);
  const Prompt with_bos = build_prompt(sample, setup.options());
  REQUIRE(with_bos.request.has_prefix());
  CHECK(with_bos.request.units.front().size() == 1);
}

TEST_CASE("an empty context has no chunks; a prompt without a query is refused") {
  TaskSample sample = small_sample();
  sample.context.clear();
  sample.passages.clear();
  sample.evidence.clear();
  Setup setup;
  const Prompt prompt = build_prompt(sample, setup.options());
  CHECK(prompt.request.units.size() == 1);
  sample.query.clear();
  sample.answer_prefix.clear();
  sample.question = {};
  CHECK_THROWS_WITH(build_prompt(sample, setup.options()), Catch::Contains("needs a query"));
}

TEST_CASE("evidence that a unit boundary cuts is flagged") {
  TaskSample sample = small_sample();
  Setup setup;
  setup.chunker = make_chunker(yaml_map({{"fixed", 6}}));
  const Prompt prompt = build_prompt(sample, setup.options());
  CHECK(prompt.evidence_cut[0]);
}

TEST_CASE("the units' tokens joined are the prompt's tokens") {
  Random random(11);
  const std::string letters = "ab .\n\n!A";
  const auto text = [&](int most) {
    std::string out;
    for (std::int64_t n = random.between(0, most); n > 0; --n) out += random.pick(letters);
    return out;
  };
  for (int round = 0; round < 400; ++round) {
    const FakeTokenizer tokenizer(true, round % 3 == 0, static_cast<std::size_t>(random.between(1, 5)));
    const FakeChat chat = round % 2 ? raw_chat() : turn_chat();
    TaskSample sample;
    sample.prefix = text(12);
    sample.context = text(120);
    sample.query = text(20) + "?x";
    sample.answer_prefix = text(5);
    sample.passages = {0};
    for (std::size_t at = 1; at < sample.context.size(); ++at) {
      if (random.real() < 0.05) sample.passages.push_back(at);
    }
    for (const Value& spec :
         {yaml_map({{"fixed", 7}}), yaml_map({{"sentence", 5}}), Value("passage"), Value("paragraph")}) {
      const auto chunker = make_chunker(spec);
      const PromptOptions options{.tokenizer = &tokenizer, .chat = &chat, .chunker = chunker.get()};
      const Prompt prompt = build_prompt(sample, options);
      std::vector<std::int32_t> whole;
      for (const auto& token : tokenizer.encode(prompt.request.text, {.add_bos = true})) whole.push_back(token.id);
      CHECK(all_ids(prompt.request) == whole);
      int at = 0;
      for (const auto& unit : prompt.request.units) {
        CHECK(unit.begin == at);
        CHECK(unit.end > unit.begin);
        at = unit.end;
      }
      CHECK(at == prompt.request.n_context());
      CHECK(count_prompt_tokens(sample, options) == prompt.request.n_tokens());
    }
  }
}

TEST_CASE("tokenize: units encodes each unit alone") {
  Setup setup;
  setup.tokenizer = FakeTokenizer(true, true, 6);
  auto options = setup.options();
  options.tokenize = TokenizeMode::units;
  TaskSample sample = small_sample();
  sample.passages = {0, 19};  // inside "Next": the whole tokenisation moves it, the unit's text begins behind it
  const Prompt prompt = build_prompt(sample, options);
  const auto& r = prompt.request;
  CHECK(r.context_ids.front() == 0);
  for (const auto& unit : r.units) {
    std::vector<std::int32_t> alone;
    for (const auto& token : setup.tokenizer.encode(text_of(prompt, unit.begin, unit.end))) alone.push_back(token.id);
    std::vector<std::int32_t> ids(r.context_ids.begin() + unit.begin, r.context_ids.begin() + unit.end);
    if (unit.kind == UnitKind::prefix) ids.erase(ids.begin());  // BOS
    CHECK(ids == alone);
  }
  std::string joined;
  for (const auto& text : unit_texts(prompt)) joined += text;
  CHECK(r.text.starts_with(joined));
  CHECK(count_prompt_tokens(sample, options) == r.n_tokens());
}

TEST_CASE("the hash sees ids and unit boundaries") {
  Setup setup;
  const auto hash = [&](TaskSample sample) { return build_prompt(std::move(sample), setup.options()).hash; };
  const std::string base = hash(small_sample());
  CHECK(base.size() == 64);
  CHECK(hash(small_sample()) == base);
  TaskSample other = small_sample();
  other.context[2] = 'x';
  CHECK(hash(other) != base);
  setup.chunker = make_chunker("fixed");
  CHECK(hash(small_sample()) != base);
}

TEST_CASE("spans outside their text are a defect that is named") {
  Setup setup;
  TaskSample sample = small_sample();
  sample.evidence = {{40, 4000}};
  CHECK_THROWS_WITH(build_prompt(sample, setup.options()), Catch::Contains("evidence [40, 4000)"));
}
