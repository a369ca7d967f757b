// What goes wrong from outside, through the whole program: one error that says what, where and what to try, the exit code
// that is documented, and nothing half-written. The layers' own tests have the many variants.
#include "app/bad_config.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("a config's mistakes are all named at once, with their places") {
  const TempFolder folder;
  const auto result =
      refused(folder, "name: bad\nmodel: m\ntasks: [ruler/vt]\nstrategies: [epic]\nratios: [0.2, 7]\nchunkr: passage\n",
              true, 2);
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains("bad.yaml:5:15:") && Contains("7"));
  CHECK_THAT(result.err, Contains("bad.yaml:6:1: unknown key 'chunkr'; did you mean 'chunker'?"));
  const auto twice = refused(folder, bad_config(tiny_model("tiny-llama"), needle, "ratios: [0.1]\n"));
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, Contains("bad.yaml:10:1: duplicate key 'ratios': it stands at line 9 already"));

  folder.write("b.yaml", "include: bad.yaml\n");
  CHECK(refused(folder, "include: b.yaml\nname: bad\n").code == 2);  // a cycle
  CHECK_THAT(kvmend::test::kvmend({"run", "nowhere.yaml"}, folder.path()).err, Contains("nowhere.yaml"));
  CHECK(kvmend::test::kvmend({"run", "nowhere.yaml"}, folder.path()).code == 2);
}

TEST_CASE("model files that are missing, cut or poisoned") {
  const TempFolder folder;
  const std::string whole = kvmend::read_file(tiny_model("tiny-llama.gguf"));
  CHECK(refused(folder, bad_config("nowhere.gguf", needle)).code == 3);
  CHECK(refused(folder, bad_config("smolm2-135m", needle)).code == 3);
  CHECK_THAT(refused(folder, bad_config("smolm2-135m", needle)).err, Contains("did you mean 'smollm2-135m'?"));

  folder.write("cut.gguf", whole.substr(0, whole.size() / 2));
  const auto cut = refused(folder, bad_config("cut.gguf", needle));
  CHECK(cut.code == 3);
  CHECK_THAT(cut.err, Contains("cut.gguf"));

  // The last tensor's last value: NaN. Found when the weights are read, before anything is stored.
  std::string poisoned = whole;
  poisoned.replace(poisoned.size() - 4, 4, std::string("\x00\x00\xC0\x7F", 4));
  folder.write("nan.gguf", poisoned);
  const auto nan = refused(folder, bad_config("nan.gguf", needle), false);
  CHECK(nan.code == 3);
  CHECK_THAT(nan.err, Contains("nan.gguf") && (Contains("NaN") || Contains("nan")));
  CHECK(kvmend::test::kvmend({"logits", "--model", "nan.gguf", "a"}, folder.path()).code == 3);

  fs::copy(tiny_model("tiny-llama"), folder.path() / "folder", fs::copy_options::recursive);
  fs::resize_file(folder.path() / "folder/model.safetensors", 5000);
  const auto folder_cut = refused(folder, bad_config("folder", needle));
  CHECK(folder_cut.code == 3);
  CHECK_THAT(folder_cut.err, Contains("model.safetensors"));
}

TEST_CASE("prompts that cannot run: too long, too short, an empty chunk, a broken data file") {
  const TempFolder folder;
  const std::string model = tiny_model("tiny-llama");
  const auto too_long = refused(folder, bad_config(model, "ruler/niah_single_1: {length: 100000, samples: 1}"));
  CHECK(too_long.code == 2);
  CHECK_THAT(too_long.err, Contains("bad.yaml:5:9: ruler/niah_single_1: its first prompt has") && Contains("1024"));
  folder.write("p.yaml", "chunker: [{fixed: 128}, passage]\n");
  folder.write("bad.yaml", bad_config(model, needle));
  fs::remove(folder.path() / "bad.kvmend");
  const auto no_passages = kvmend::test::kvmend({"run", "bad.yaml", "p.yaml", "-q"}, folder.path());
  CHECK(no_passages.code == 2);
  CHECK_THAT(no_passages.err, Contains("bad.yaml:5:9: ruler/niah_single_1: chunker passage:"));
  CHECK_FALSE(fs::exists(folder.path() / "bad.kvmend"));
  const auto too_short = refused(folder, bad_config(model, "ruler/niah_single_1: {length: 20, samples: 1}"));
  CHECK(too_short.code == 2);
  CHECK_THAT(too_short.err, Contains("length"));

  folder.write(
      "q.jsonl",
      "{\"question\": \"a\", \"answers\": [\"b\"], \"passages\": [{\"title\": \"t\", \"text\": \"b\", \"gold\": "
      "true}]}\n{\"question\": \"a\", \"answers\": [\"b\"\n");
  const auto broken = refused(folder, bad_config(model, "qa_custom: {file: q.jsonl, passages: 1}"));
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

TEST_CASE("a mistyped command or option names the nearest") {
  CHECK_THAT(kvmend::test::kvmend({"rnu"}).err, Contains("did you mean 'run'?"));
  CHECK(kvmend::test::kvmend({"rnu"}).code == 2);
  CHECK_THAT(kvmend::test::kvmend({"run", "--ratioo"}).err, Contains("kvmend run --help"));
  CHECK(kvmend::test::kvmend({"run", "--help"}).code == 0);
}
