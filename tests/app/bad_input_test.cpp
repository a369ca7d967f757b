// What goes wrong from outside, through the whole program: one error that says what, where and what to try, the exit code
// that is documented, and nothing half-written. The layers' own tests have the many variants.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"
#include "paths.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::string config(const std::string& model, const std::string& task, const std::string& more = "") {
  return "name: bad\nmodel: " + model + "\nchat: raw\ndtype: f32\ntasks: [" + task +
         "]\nchunker: {fixed: 128}\nmax_new_tokens: 4\nstrategies: [full, epic]\nratios: [0.2]\n" + more;
}

const std::string needle = "ruler/niah_single_1: {length: 900, samples: 2, seed: 1}";

/// Runs the config and checks that it has so many errors, a line each, and that nothing was left behind.
ProgramResult refused(const TempFolder& folder, const std::string& text, bool no_store = true, int errors = 1) {
  folder.write("bad.yaml", text);
  fs::remove(folder.path() / "bad.kvmend");
  const auto result = kvmend::test::kvmend({"run", "bad.yaml", "-q"}, folder.path());
  INFO(result.err);
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == errors);
  CHECK_THAT(result.err, !Contains("terminate called") && !Contains("internal error"));
  if (no_store) CHECK_FALSE(fs::exists(folder.path() / "bad.kvmend"));
  return result;
}

/// A command line for /bin/sh; returns its exit code.
int shell(const TempFolder& folder, const std::string& line) {
  const std::string kvmend = kvmend::binary_folder() + "/bin/kvmend";
  const int status = std::system(("cd " + folder.path().string() + " && kvmend=" + kvmend + "\n" + line).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string content(const fs::path& path) { return kvmend::read_file(path); }

}  // namespace

TEST_CASE("a config's mistakes are all named at once, with their places") {
  const TempFolder folder;
  const auto result =
      refused(folder, "name: bad\nmodel: m\ntasks: [ruler/vt]\nstrategies: [epic]\nratios: [0.2, 7]\nchunkr: passage\n",
              true, 2);
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("bad.yaml:5:15:") && Contains("7"));
  CHECK_THAT(result.err, Contains("bad.yaml:6:1: unknown key 'chunkr'; did you mean 'chunker'?"));
  const auto twice = refused(folder, config(tiny_model("tiny-llama"), needle, "ratios: [0.1]\n"));
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, Contains("bad.yaml:10:1: duplicate key 'ratios': it stands at line 9 already"));

  folder.write("b.yaml", "include: bad.yaml\n");
  CHECK(refused(folder, "include: b.yaml\nname: bad\n").code == 2);  // a cycle
  CHECK_THAT(kvmend::test::kvmend({"run", "nowhere.yaml"}, folder.path()).err, Contains("nowhere.yaml"));
  CHECK(kvmend::test::kvmend({"run", "nowhere.yaml"}, folder.path()).code == 2);
}

TEST_CASE("model files that are missing, cut or poisoned") {
  const TempFolder folder;
  const std::string whole = content(tiny_model("tiny-llama.gguf"));
  CHECK(refused(folder, config("nowhere.gguf", needle)).code == 3);
  CHECK(refused(folder, config("smolm2-135m", needle)).code == 3);
  CHECK_THAT(refused(folder, config("smolm2-135m", needle)).err, Contains("did you mean 'smollm2-135m'?"));

  folder.write("cut.gguf", whole.substr(0, whole.size() / 2));
  const auto cut = refused(folder, config("cut.gguf", needle));
  CHECK(cut.code == 3);
  CHECK_THAT(cut.err, Contains("cut.gguf"));

  // The last tensor's last value: NaN. Found when the weights are read, before anything is stored.
  std::string poisoned = whole;
  poisoned.replace(poisoned.size() - 4, 4, std::string("\x00\x00\xC0\x7F", 4));
  folder.write("nan.gguf", poisoned);
  const auto nan = refused(folder, config("nan.gguf", needle), false);
  CHECK(nan.code == 3);
  CHECK_THAT(nan.err, Contains("nan.gguf") && (Contains("NaN") || Contains("nan")));
  CHECK(kvmend::test::kvmend({"logits", "--model", "nan.gguf", "a"}, folder.path()).code == 3);

  fs::copy(tiny_model("tiny-llama"), folder.path() / "folder", fs::copy_options::recursive);
  fs::resize_file(folder.path() / "folder/model.safetensors", 5000);
  const auto folder_cut = refused(folder, config("folder", needle));
  CHECK(folder_cut.code == 3);
  CHECK_THAT(folder_cut.err, Contains("model.safetensors"));
}

TEST_CASE("prompts that cannot run: too long, too short, an empty chunk, a broken data file") {
  const TempFolder folder;
  const std::string model = tiny_model("tiny-llama");
  const auto too_long = refused(folder, config(model, "ruler/niah_single_1: {length: 100000, samples: 1}"));
  CHECK(too_long.code == 2);
  CHECK_THAT(too_long.err, Contains("bad.yaml:5:9: ruler/niah_single_1: its first prompt has") && Contains("1024"));
  folder.write("p.yaml", "chunker: [{fixed: 128}, passage]\n");
  folder.write("bad.yaml", config(model, needle));
  fs::remove(folder.path() / "bad.kvmend");
  const auto no_passages = kvmend::test::kvmend({"run", "bad.yaml", "p.yaml", "-q"}, folder.path());
  CHECK(no_passages.code == 2);
  CHECK_THAT(no_passages.err, Contains("bad.yaml:5:9: ruler/niah_single_1: chunker passage:"));
  CHECK_FALSE(fs::exists(folder.path() / "bad.kvmend"));
  const auto too_short = refused(folder, config(model, "ruler/niah_single_1: {length: 20, samples: 1}"));
  CHECK(too_short.code == 2);
  CHECK_THAT(too_short.err, Contains("length"));

  folder.write(
      "q.jsonl",
      "{\"question\": \"a\", \"answers\": [\"b\"], \"passages\": [{\"title\": \"t\", \"text\": \"b\", \"gold\": "
      "true}]}\n{\"question\": \"a\", \"answers\": [\"b\"\n");
  const auto broken = refused(folder, config(model, "qa_custom: {file: q.jsonl, passages: 1}"));
  CHECK(broken.code == 3);
  CHECK_THAT(broken.err, Contains("q.jsonl:2:"));

  const auto select = [&](const std::string& request) {
    return kvmend::test::kvmend({"select", "--model", model, "--strategy", "epic", "--request", "-"}, folder.path(),
                                request);
  };
  CHECK(select(R"({"prefix": "a", "chunks": ["b", ""], "query": "c"})").code == 3);
  CHECK_THAT(select(R"({"prefix": "a", "chunks": ["b", ""], "query": "c"})").err, Contains("<stdin>:1:"));
  CHECK(select("{\"chunks\": [").code == 3);
  CHECK(kvmend::test::kvmend({"select", "--model", model, "--strategy", "epic", "--ratio", "7", "--request", "-"},
                             folder.path())
            .code == 2);
  const auto deep = kvmend::test::kvmend(
      {"select", "--model", model, "--strategy", "prophetkv: {layers: [99]}", "--request", "-"}, folder.path(), "{}");
  CHECK(deep.code == 2);
  CHECK_THAT(deep.err, Contains("layer 99 is past the model's last layer"));
  CHECK(
      kvmend::test::kvmend({"select", "--model", model, "--strategy", "epik", "--request", "-"}, folder.path()).code ==
      2);
}

TEST_CASE("strategies that cannot run are refused before the sweep, each with its place") {
  const TempFolder folder;
  const std::string model = tiny_model("tiny-llama");
  const auto run = [&](const std::string& strategy, int code, const std::string& model_name, int errors = 1) {
    const auto result =
        refused(folder,
                "name: bad\nmodel: " + model_name + "\nchat: raw\ntasks: [" + needle +
                    "]\nchunker: {fixed: 128}\nratios: [0.2]\nstrategies:\n  - epic\n  - " + strategy + "\n",
                true, errors);
    CHECK(result.code == code);
    return result.err;
  };
  CHECK_THAT(run("prophetkv: {layers: [0, 99]}", 2, model), Contains("bad.yaml:9:5: prophetkv: layer 99 is past"));
  CHECK_THAT(run("infoflow: {layers: [3, 1]}", 2, model), Contains("bad.yaml:9:15:") && Contains("increasing"));
  CHECK_THAT(run("cachecraft: {layer: 7}", 2, model), Contains("bad.yaml:9:5: cachecraft: layer 7 is past"));
  CHECK_THAT(run("cacheblend: {check_layer: 40}", 2, model), Contains("bad.yaml:9:5: cacheblend:"));
  // A preset's errors have its own name, a part's both.
  CHECK_THAT(run("psr: {check_layer: 99}", 2, model), Contains("bad.yaml:9:5: psr: check_layer 99 is past"));
  CHECK_THAT(run("cacheblend_repo: {check_layer: 99}", 2, model),
             Contains("bad.yaml:9:5: cacheblend_repo: check_layer 99 is past"));
  CHECK_THAT(run("fusionrag: {layers: [99]}", 2, model), Contains("bad.yaml:9:5: fusionrag: layer 99 is past"));
  CHECK_THAT(run("combine: {scores: [fusionrag: {layers: [99]}]}", 2, model),
             Contains("bad.yaml:9:5: combine: fusionrag: layer 99 is past"));
  CHECK_THAT(run("cacheclip", 2, model), Contains("bad.yaml:9:5: cacheclip needs an aux_model"));
  CHECK_THAT(run("cacheclip: {aux_model: nowhere.gguf}", 3, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("speccache", 2, model), Contains("bad.yaml:9:5: speccache needs an aux_model"));
  CHECK_THAT(run("speccache: {aux_model: nowhere.gguf}", 3, model),
             Contains("bad.yaml:9:5: speccache: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("combine: {scores: [prophetkv, cacheclip]}", 2, model),
             Contains("bad.yaml:9:35: cacheclip needs an aux_model"));
  CHECK_THAT(run("combine: {scores: [prophetkv, {speccache: {aux_model: nowhere.gguf}}]}", 3, model),
             Contains("bad.yaml:9:5: combine: aux_model nowhere.gguf:") && Contains("no such model"));
  CHECK_THAT(run("cacheclip: {aux_model: " + model + ", window: 0}", 2, model),
             Contains("window is 0, must be at least 1"));
  CHECK_THAT(run("cacheclip: {aux_model: " + tiny_model("tiny-bert") + "}", 2, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("a bert model is an encoder"));
  const std::string gpt2 = tiny_model("tiny-gpt2");
  CHECK_THAT(run("cacheclip: {aux_model: " + gpt2 + ", softmax: [per_chunk, joint]}", 2, model),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("it learns its positions"));
  CHECK_THAT(run("combine: {scores: [{cacheclip: {aux_model: " + gpt2 + "}}], sink: none}", 2, model),
             Contains("bad.yaml:9:5: combine: aux_model ") && Contains("it learns its positions"));
  const std::string deep = "speccache: {aux_model: " + model + ", layer: 99}";
  CHECK_THAT(run(deep, 2, model), Contains("bad.yaml:9:5: speccache: aux_model ") && Contains("layer 99 is past"));
  const auto alone = [&](const std::vector<std::string>& command, const std::string& strategy, const std::string& in) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--model", model, "--strategy", strategy});
    return kvmend::test::kvmend(arguments, folder.path(), in);
  };
  const std::string request = R"({"prefix": "A story.", "chunks": ["the river", "the sea"], "query": "where?"})";
  for (const auto& command :
       {std::vector<std::string>{"select", "--request", "-"}, {"bench", "select", "--tokens", "64"}}) {
    const auto late = alone(command, deep, request);
    CHECK(late.code == 2);
    CHECK_THAT(late.err, Contains("speccache: aux_model ") && Contains("layer 99 is past"));
  }
  CHECK(alone({"select", "--request", "-"}, "cacheclip: {aux_model: " + gpt2 + "}", request).code == 0);
  // An auxiliary's own tokens and context count.
  const auto auxiliary = [&](const std::string& file, const std::string& from, const std::string& to) {
    const fs::path copy = folder.path() / "aux";
    fs::remove_all(copy);
    fs::copy(tiny_model("tiny-llama"), copy);
    std::string text = content(copy / file);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    folder.write("aux/" + file, text.replace(at, from.size(), to));
    return run("cacheclip: {aux_model: " + copy.string() + "}", 2, model);
  };
  CHECK_THAT(auxiliary("config.json", "\"max_position_embeddings\": 1024", "\"max_position_embeddings\": 64"),
             Contains("bad.yaml:9:5: cacheclip: aux_model ") && Contains("it was made for a context of 64"));
  CHECK_THAT(run("ape: {temperature: 0}", 2, model), Contains("bad.yaml:9:24: temperature is 0, must be between"));
  CHECK_THAT(run("samkv", 2, tiny_model("tiny-mistral")), Contains("bad.yaml:9:5: samkv:") && Contains("window"));
  CHECK_THAT(run("from_file: {path: none.jsonl}", 2, model), Contains("bad.yaml:9:16: none.jsonl: no such score file"));
  folder.write("s.jsonl", "{\"id\": \"x\", \"scores\": [1]}\n{\"id\": \"niah_single_1-1-0\", \"scores\": [1]}\n");
  CHECK_THAT(run("from_file: {path: s.jsonl}", 3, model),
             Contains("bad.yaml:9:5: s.jsonl: no scores for 1 of 2 samples, the first is 'niah_single_1-1-1'"));
  CHECK_THAT(run("combine: {scores: [{from_file: {path: s.jsonl}}]}", 3, model), Contains("bad.yaml:9:5: s.jsonl:"));
  CHECK_THAT(run("combine: {scores: [prophetkv, infoflow]}", 2, model),
             Contains("bad.yaml:9:5: combine: prophetkv has sink none by default, infoflow has shared_prefix; give "
                      "combine its own `sink`"));
  CHECK_THAT(run("combine: {scores: [prophetkv], pinned: samkv}", 2, model),
             Contains("bad.yaml:9:44: combine: samkv does more than choose tokens"));
  CHECK_THAT(run("combine: {scores: [{prophetkv: {fusion: rank}}, random]}", 2, model),
             Contains("bad.yaml:9:24: combine: prophetkv (fusion: rank) can have negative scores"));
  folder.write("s.jsonl", "{\"id\": \"x\", \"scores\": [1]}\n{\"id\": \"x\", \"scores\": [1]}\n");
  CHECK_THAT(run("from_file: {path: s.jsonl}", 2, model), Contains("s.jsonl:2:1: a second line for sample 'x'"));
}

TEST_CASE("a store that may only be read is refused by run, as data, and left as it is") {
  const TempFolder folder;
  folder.write("bad.yaml", config(tiny_model("tiny-llama"), needle));
  REQUIRE(kvmend::test::kvmend({"run", "bad.yaml", "-q", "--limit", "1"}, folder.path()).code == 0);
  fs::permissions(folder.path(), static_cast<fs::perms>(0777));
  fs::permissions(folder.path() / "bad.kvmend", static_cast<fs::perms>(0444));
  // Root may write whatever the permissions say.
  const bool root = ::geteuid() == 0;
  const std::string nobody = root ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  if (root && shell(folder, nobody + "sh -c \"$kvmend table bad.kvmend > /dev/null 2>&1 && test -r " +
                                tiny_model("tiny-llama") + "/config.json\"") != 0) {
    WARN("SKIPPED: another user than root cannot read this build");
    return;
  }
  const std::string before = content(folder.path() / "bad.kvmend");
  CHECK(shell(folder, nobody + "$kvmend run bad.yaml -q > out 2> err") == 3);
  CHECK_THAT(content(folder.path() / "err"),
             Contains("bad.kvmend: cannot be written: the file") && Contains("read-only"));
  CHECK(content(folder.path() / "bad.kvmend") == before);
}

TEST_CASE("an auxiliary tokenizer that has nothing for a chunk cannot be aligned with it") {
  const TempFolder folder;
  const fs::path copy = folder.path() / "aux";
  fs::copy(tiny_model("tiny-llama"), copy);
  std::string text = content(copy / "tokenizer.json");
  const auto at = text.find("\"4\": 22,");
  REQUIRE(at != std::string::npos);
  folder.write("aux/tokenizer.json", text.erase(at, 8));
  const auto result = kvmend::test::kvmend({"select", "--model", tiny_model("tiny-llama"), "--strategy",
                                            "cacheclip: {aux_model: aux}", "--ratio", "0.5", "--request", "-"},
                                           folder.path(), R"({"prefix": "a", "chunks": ["b c", "444"], "query": "c"})");
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("the auxiliary model aux has no token for the chunk at bytes [4, 7)"));
}

TEST_CASE("a disk that fills up while a sweep runs loses the sample in flight at most, and says so") {
  const TempFolder folder;
  folder.write("bad.yaml",
               config(tiny_model("tiny-llama"), "ruler/niah_single_1: {length: 900, samples: 40, seed: 1}"));
  // A limit on file sizes stands for the full disk: SQLite's write fails as it would there.
  const int code = shell(folder, "trap '' XFSZ; ulimit -f 400; exec $kvmend run bad.yaml -q 2> err");
  CHECK(code == 3);
  CHECK_THAT(content(folder.path() / "err"), Contains("bad.kvmend") && Contains("full"));
  const auto resumed = kvmend::test::kvmend({"run", "bad.yaml"}, folder.path());
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err, Contains("results computed") && !Contains(" 0 were there"));
  // The same in a merge: what was merged is whole, its source untouched, and merging again completes it.
  CHECK(shell(folder, "trap '' XFSZ; ulimit -f 400; exec $kvmend merge out.kvmend bad.kvmend 2> err") == 3);
  CHECK_THAT(content(folder.path() / "err"), Contains("out.kvmend") && Contains("full"));
  CHECK(kvmend::test::kvmend({"merge", "out.kvmend", "bad.kvmend"}, folder.path()).code == 0);
  const auto rows = [&](const char* store) { return kvmend::test::kvmend({"export", store}, folder.path()).out; };
  CHECK(rows("out.kvmend") == rows("bad.kvmend"));
}

TEST_CASE("stores that cannot be made or read") {
  const TempFolder folder;
  folder.write("bad.yaml", config(tiny_model("tiny-llama"), needle));
  const auto nowhere = kvmend::test::kvmend({"run", "bad.yaml", "-o", "/proc/no/s.kvmend"}, folder.path());
  CHECK(nowhere.code == 3);
  CHECK_THAT(nowhere.err, Contains("/proc/no"));
  folder.write("text.kvmend", "this is no store\n");
  for (const char* command : {"table", "export", "rescore"}) {
    const auto result = kvmend::test::kvmend({command, "text.kvmend"}, folder.path());
    CHECK(result.code == 3);
    CHECK_THAT(result.err, Contains("text.kvmend"));
  }
  CHECK(kvmend::test::kvmend({"run", "bad.yaml", "-o", "text.kvmend"}, folder.path()).code == 3);
  CHECK(content(folder.path() / "text.kvmend") == "this is no store\n");
  CHECK(kvmend::test::kvmend({"table", "missing.kvmend"}, folder.path()).code == 3);
  CHECK_FALSE(fs::exists(folder.path() / "missing.kvmend"));
}

TEST_CASE("a reader that has seen enough is no error, a full disk behind stdout is one") {
  const TempFolder folder;
  CHECK(shell(folder, "$kvmend list strategies 2> err > /dev/full") == 3);
  CHECK_THAT(content(folder.path() / "err"), Contains("standard output"));
  CHECK(shell(folder, "{ $kvmend list tasks 2> err; echo $? > code; } | true; sleep 0.1; exit $(cat code)") == 0);
  CHECK(content(folder.path() / "err").empty());
}

TEST_CASE("a mistyped command or option names the nearest") {
  CHECK_THAT(kvmend::test::kvmend({"rnu"}).err, Contains("did you mean 'run'?"));
  CHECK(kvmend::test::kvmend({"rnu"}).code == 2);
  CHECK_THAT(kvmend::test::kvmend({"run", "--ratioo"}).err, Contains("kvmend run --help"));
  CHECK(kvmend::test::kvmend({"run", "--help"}).code == 0);
}

TEST_CASE("a strategy that cannot run on the model is refused with its place, before the sweep") {
  const TempFolder folder;
  folder.write("prompts.jsonl", "{\"prompt\": \"the river\"}\n");
  const std::string stream = "stream: {file: prompts.jsonl}";
  const auto learned = refused(folder, config(tiny_model("tiny-gpt2"), stream));
  CHECK(learned.code == 2);
  CHECK_THAT(learned.err,
             Contains("bad.yaml:8:20: epic: gpt2 models learn their positions") && Contains("kvmend recycle"));
  const auto encoder = refused(folder, config(tiny_model("tiny-bert"), stream));
  CHECK(encoder.code == 2);
  CHECK_THAT(encoder.err, Contains("is an encoder"));
  std::string window = config(tiny_model("tiny-gemma3"), stream);
  window.replace(window.find("epic"), 4, "samkv");
  const auto windowed = refused(folder, window);
  CHECK(windowed.code == 2);
  CHECK_THAT(windowed.err, Contains("bad.yaml:8:20: samkv:") && Contains("sliding window"));
}

TEST_CASE("recycle answers a stream, and says where its config is wrong") {
  const TempFolder folder;
  folder.write("prompts.jsonl", "{\"prompt\": \"the river\"}\n{\"prompt\": \"the river and the sea\"}\n");
  folder.write("r.yaml", "model: " + tiny_model("tiny-gpt2") + "\nencoder: " + tiny_model("tiny-bert") +
                             "\nprompts: prompts.jsonl\nmax_new_tokens: 4\n");
  const auto text = kvmend::test::kvmend({"recycle", "r.yaml", "-q", "-o", "rows.jsonl"}, folder.path());
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("2 prompts") && Contains("1 (50%)") && Contains("2/2"));
  CHECK_THAT(content(folder.path() / "rows.jsonl"), Contains("\"reuse_depth\":"));
  const auto json =
      kvmend::test::kvmend({"recycle", "r.yaml", "-q", "--json", "--set", "lookups=[nearest]"}, folder.path());
  CHECK(json.code == 0);
  CHECK(std::count(json.out.begin(), json.out.end(), '\n') == 2);
  const auto settled = kvmend::test::kvmend(
      {"recycle", "r.yaml", "-q", "--device", "reference", "--dtype", "bf16", "--threads", "1"}, folder.path());
  CHECK(settled.code == 0);
  CHECK_THAT(settled.out, Contains(", reference, bf16"));
  const auto other = kvmend::test::kvmend({"recycle", "r.yaml", "--dtype", "f64"}, folder.path());
  CHECK(other.code == 2);
  CHECK_THAT(other.err, Contains("f64"));
  folder.write("bad.yaml", "model: x\npromts: y\n");
  const auto wrong = kvmend::test::kvmend({"recycle", "bad.yaml"}, folder.path());
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("bad.yaml:2:1: ") && Contains("did you mean 'prompts'"));
  CHECK(kvmend::test::kvmend({"recycle", "nowhere.yaml"}, folder.path()).code == 2);
}
