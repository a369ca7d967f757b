// Sentence embeddings against the package sentence-transformers (scripts/golden/sentence_embeddings.py).
#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "model/locate.h"
#include "paths.h"
#include "recompute/sentence_encoder.h"
#include "support/difference.h"
#include "support/require_model.h"

using namespace kvmend;
using Catch::Contains;

TEST_CASE("embeddings have length 1, ignore white space around the text and tell texts apart") {
  const SentenceEncoder encoder(std::string(source_folder()) + "/tests/data/models/tiny-bert", {"cpu", DType::f32, 1});
  const auto a = encoder.embed("the river and the sea"), b = encoder.embed("  the river and the sea\n");
  CHECK(a == b);
  CHECK(cosine(a, a) == Approx(1.0).margin(1e-6));
  CHECK(cosine(a, encoder.embed("77 + 8 = 85")) < 0.999);
  CHECK(encoder.max_tokens() == 128);
  std::string longer;
  for (int i = 0; i < 200; ++i) longer += "river ";
  CHECK(encoder.embed(longer) == encoder.embed(longer + "town"));  // cut to the encoder's length
  CHECK(encoder.embed("").size() == 32);
  CHECK_THROWS_WITH(
      SentenceEncoder(std::string(source_folder()) + "/tests/data/models/tiny-llama", {"cpu", DType::f32, 1}),
      Contains("is no sentence encoder"));
}

TEST_CASE("MiniLM's embeddings are sentence-transformers' within 1e-4", "[minilm]") {
  const auto folder = models_dir() / "all-minilm-l6-v2";
  if (!test::require_model("all-minilm-l6-v2", path_exists(folder / "model.safetensors"))) return;
  const SentenceEncoder encoder(folder.string(), {"cpu", DType::f32, 2});
  const auto golden =
      nlohmann::json::parse(read_file(std::string(source_folder()) + "/tests/data/golden/all-minilm-l6-v2.json"));
  REQUIRE(golden["sentences"].size() == 7);
  for (const auto& sentence : golden["sentences"]) {
    const auto expected = sentence["embedding"].get<std::vector<float>>();
    const auto found = encoder.embed(sentence["text"].get<std::string>());
    CAPTURE(sentence["text"].get<std::string>().substr(0, 60));
    CHECK(test::largest_difference(found, expected) < 1e-4);
  }
}
