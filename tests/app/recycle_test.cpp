#include <algorithm>

#include "app/program.h"
#include "catch.h"
#include "core/file.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("recycle answers a stream, and says where its config is wrong") {
  const TempFolder folder;
  folder.write("prompts.jsonl", "{\"prompt\": \"the river\"}\n{\"prompt\": \"the river and the sea\"}\n");
  folder.write("r.yaml", "model: " + tiny_model("tiny-gpt2") + "\nencoder: " + tiny_model("tiny-bert") +
                             "\nprompts: prompts.jsonl\nmax_new_tokens: 4\n");
  const auto text = kvmend::test::kvmend({"recycle", "r.yaml", "-q", "-o", "rows.jsonl"}, folder.path());
  INFO(text.err);
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Contains("2 prompts") && Contains("1 (50%)") && Contains("2/2"));
  CHECK_THAT(kvmend::read_file(folder.path() / "rows.jsonl"), Contains("\"reuse_depth\":"));
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
