// GGUF metadata as a model's configuration.
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "model/file_builders.h"
#include "model/model_files.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

std::unique_ptr<ModelFiles> open(const MicroGguf& model) {
  const TempFolder folder;  // the file stays mapped after its name is gone
  return open_model(folder.write("micro.gguf", model.bytes()));
}

std::string error_of(const MicroGguf& model) {
  try {
    open(model);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
}

}  // namespace

TEST_CASE("a GGUF file's metadata becomes the configuration", "[files]") {
  const auto files = open_model(tiny_models / "tiny-llama.gguf");
  const ModelConfig& c = files->config();
  CHECK(c.architecture == "llama");
  CHECK(c.name == "tiny");
  CHECK(c.n_layers == 3);
  CHECK(c.d_model == 96);
  CHECK(c.n_heads == 6);
  CHECK(c.n_kv_heads == 2);
  CHECK(c.head_dim == 16);
  CHECK(c.d_ff == 64);
  CHECK(c.vocab == 320);
  CHECK(c.context_length == 1024);
  CHECK(c.norm_eps == 1e-5F);
  CHECK(c.norm == NormKind::rms);
  CHECK(c.activation == Activation::silu);
  CHECK(c.gated_mlp);
  CHECK_FALSE(c.tied_head);
  CHECK_FALSE(c.qkv_bias);
  CHECK(c.rope.base == 10000);
  CHECK(c.rope.rotary_dim == 16);
  CHECK(c.sliding_window == 0);
  CHECK(files->path() == tiny_models / "tiny-llama.gguf");
  CHECK(files->sha256() == sha256_file(tiny_models / "tiny-llama.gguf"));
  CHECK_THAT(files->chat_template(), Contains("<|im_start|>"));

  const TokenizerSource& t = files->tokenizer();
  CHECK(t.gguf_model == "gpt2");
  CHECK(t.gguf_pre == "smollm");
  CHECK(t.tokens.size() == 320);
  CHECK(t.token_types.size() == 320);
  CHECK(t.tokens[1] == "<|im_start|>");
  CHECK(t.token_types[1] == 3);
  CHECK(t.merges.size() == 320 - 256 - 3);
  CHECK(t.bos == 0);
  CHECK(t.eos == 2);
  CHECK(t.eot == -1);
  CHECK_FALSE(t.add_bos);
  CHECK(t.json_path.empty());
}

TEST_CASE("GGUF's spellings of RoPE are understood", "[files]") {
  using Scaling = RopeConfig::Scaling;
  CHECK(open(MicroGguf())->config().rope.scaling == Scaling::none);
  CHECK(open(MicroGguf().f32("llama.rope.freq_base", 5e5F))->config().rope.base == 5e5);
  const auto linear = open(MicroGguf().text("llama.rope.scaling.type", "linear").f32("llama.rope.scaling.factor", 4));
  CHECK(linear->config().rope.scaling == Scaling::linear);
  CHECK(linear->config().rope.factor == 4);
  CHECK(open(MicroGguf().f32("llama.rope.scale_linear", 4))->config().rope.scaling == Scaling::linear);
  MicroGguf yarn;
  yarn.text("llama.rope.scaling.type", "yarn").f32("llama.rope.scaling.factor", 4);
  yarn.u32("llama.rope.scaling.original_context_length", 8).f32("llama.rope.scaling.yarn_beta_fast", 16);
  CHECK(open(yarn)->config().rope.scaling == Scaling::yarn);
  CHECK(open(yarn)->config().rope.original_context == 8);
  CHECK(open(yarn)->config().rope.beta_fast == 16);
  CHECK(open(yarn)->config().rope.attention_factor == 0);
  yarn.f32("llama.rope.scaling.attn_factor", 2);  // beside the factor that follows from the scale
  CHECK(open(yarn)->config().rope.attention_factor == Approx(2 * (0.1 * std::log(4) + 1)));
  const auto factors = open(MicroGguf().tensor("rope_freqs.weight", {1}, {3}));
  CHECK(factors->config().rope.frequency_factors == std::vector<float>{3});

  CHECK_THAT(error_of(MicroGguf().text("llama.rope.scaling.type", "longrope")), Contains("'longrope' is refused"));
  CHECK_THAT(error_of(MicroGguf().tensor("rope_factors_long.weight", {1}, {3})), Contains("'longrope' is refused"));
  CHECK_THAT(error_of(MicroGguf().text("llama.rope.scaling.type", "other")),
             Contains("the RoPE scaling 'other' is not known"));
  CHECK_THAT(error_of(yarn.f32("llama.rope.scaling.yarn_log_multiplier", 0.1F)), Contains("variant of YaRN"));
  CHECK_THAT(error_of(MicroGguf().tensor("rope_freqs.weight", {2}, {3, 3})), Contains("expected F32 of shape [1]"));
  CHECK_THAT(error_of(MicroGguf().tensor("rope_freqs.weight", {1}, {0})), Contains("frequency factor is 0"));
  CHECK_THAT(error_of(MicroGguf().f32("llama.rope.freq_base", NAN)), Contains("RoPE's base is nan"));
  CHECK_THAT(error_of(MicroGguf().f32("llama.rope.freq_base", 1)), Contains("base is 1; it must exceed 1"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.rope.dimension_count", 4)), Contains("4 of a head's 2 columns rotate"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.rope.dimension_count", 1)), Contains("an even number of them must"));
}

TEST_CASE("a window is read from GGUF where it holds for every layer", "[files]") {
  CHECK(open(MicroGguf().u32("llama.attention.sliding_window", 8))->config().sliding_window == 8);
  MicroGguf qwen("qwen2");
  for (const auto& [name, size] : {std::pair{"q", 4}, {"k", 2}, {"v", 2}}) {
    qwen.tensor(std::string("blk.0.attn_") + name + ".bias", {static_cast<std::uint64_t>(size)});
  }
  CHECK(open(qwen)->config().qkv_bias);
  CHECK_THAT(error_of(qwen.u32("qwen2.attention.sliding_window", 8)), Contains("does not say which layers"));
}

TEST_CASE("Gemma 3's GGUF files say the window, the architecture says where it holds", "[files]") {
  MicroGguf gemma("gemma3");
  for (const char* name : {"post_attention_norm", "post_ffw_norm"}) {
    gemma.tensor(std::string("blk.0.") + name + ".weight", {4});
  }
  for (const char* name : {"attn_q_norm", "attn_k_norm"}) gemma.tensor(std::string("blk.0.") + name + ".weight", {2});
  gemma.f32("gemma3.rope.freq_base", 1e6F).u32("gemma3.attention.sliding_window", 8);
  const ModelConfig c = open(gemma)->config();
  CHECK(c.sliding_window == 8);
  CHECK(c.windowed == std::vector<bool>{true});
  CHECK(c.rope.base == 1e6);
  REQUIRE(c.window_rope.has_value());
  CHECK(c.window_rope->base == 10000);
  CHECK(c.embedding_scale == 2);
  CHECK(c.attention_scale == 0);
  CHECK(open(gemma.f32("gemma3.rope.freq_base_swa", 7000))->config().window_rope->base == 7000);
  CHECK(open(gemma.f32("gemma3.attention.scale", 0.5F))->config().attention_scale == 0.5F);
  CHECK(open(gemma.u32("gemma3.attention.sliding_window_pattern", 1))->config().sliding_window == 0);
  CHECK_THAT(error_of(gemma.u32("gemma3.attention.sliding_window_pattern", 0)), Contains("0 is no period"));
}

TEST_CASE("GGUF models that cannot be are refused", "[files]") {
  CHECK(error_of(MicroGguf()).empty());
  MicroGguf model;
  model.entries.erase("general.architecture");
  CHECK_THAT(error_of(model), Contains("key 'general.architecture' is missing"));
  CHECK_THAT(error_of(MicroGguf("mamba")),
             Contains("the architecture 'mamba' is not supported; known: llama, qwen2, qwen3, gemma3, gpt2, bert"));
  model = MicroGguf();
  model.entries.erase("llama.block_count");
  CHECK_THAT(error_of(model), Contains("key 'llama.block_count': missing"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.block_count", 0)),
             Contains("the number of layers is 0; 1 to 4096 are possible"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.block_count", 4000000000U)), Contains("4000000000 is out of range"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.block_count", 2)), Contains("tensor 'blk.1.attn_norm.weight' is missing"));
  CHECK_THAT(error_of(MicroGguf().text("llama.block_count", "1")),
             Contains("expected an integer below 2^63, found a string"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.attention.head_count", 0)), Contains("the number of heads is 0"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.attention.head_count_kv", 0)), Contains("number of key/value heads is 0"));
  CHECK_THAT(error_of(MicroGguf()
                          .u32("llama.attention.head_count", 3)
                          .u32("llama.attention.head_count_kv", 2)
                          .u32("llama.attention.key_length", 2)),
             Contains("3 query heads cannot share 2 key/value heads evenly"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.attention.value_length", 4)),
             Contains("values of another width than keys"));
  CHECK_THAT(error_of(MicroGguf().f32("llama.attention.layer_norm_rms_epsilon", NAN)),
             Contains("the norm's epsilon is nan"));
  CHECK_THAT(error_of(MicroGguf().u32("llama.expert_count", 8)), Contains("mixtures of experts are not supported"));
  CHECK_THAT(error_of(MicroGguf().f32("llama.logit_scale", 0.1F)), Contains("this variant of the architecture"));
  model = MicroGguf();
  model.tensors.erase("token_embd.weight");
  CHECK_THAT(error_of(model), Contains("'token_embd.weight' is missing"));
  CHECK_THAT(error_of(MicroGguf().tensor("blk.0.attn_k.weight", {4, 3})),
             Contains("tensor 'blk.0.attn_k.weight' has shape [3, 4]; the configuration asks for [2, 4]"));
  CHECK_THAT(error_of(MicroGguf().tensor("output_norm.weight", {4, 2})),
             Contains("has shape [2, 4]; the configuration asks for [4]"));
  CHECK(error_of(MicroGguf().tensor("output_norm.weight", {4, 1})).empty());
  CHECK_THAT(error_of(MicroGguf().tensor("blk.0.attn_q_norm.weight", {2})),
             Contains("tensor 'blk.0.attn_q_norm.weight' has no place in a llama model"));
  CHECK_THAT(error_of(MicroGguf().tensor("blk.0.attn_q.bias", {4})), Contains("tensor 'blk.0.attn_k.bias' is missing"));
}

TEST_CASE("hostile GGUF tokenizers are refused", "[files]") {
  const std::string one = GgufBuilder::text("a");
  const auto array = [](std::uint32_t element, std::uint64_t count, const std::string& items) {
    return raw(element) + raw(count) + items;
  };
  const auto tokens = [&](std::uint64_t count) {
    std::string items;
    for (std::uint64_t i = 0; i < count; ++i) items += one;
    return MicroGguf().set("tokenizer.ggml.tokens", 9, array(8, count, items));
  };
  CHECK(open(tokens(5))->tokenizer().tokens.size() == 5);
  CHECK_THAT(error_of(tokens(6)), Contains("'tokenizer.ggml.tokens' has 6 tokens, the embedding 5 rows"));
  CHECK_THAT(error_of(tokens(5).set("tokenizer.ggml.token_type", 9, array(5, 2, raw(1) + raw(1)))),
             Contains("'tokenizer.ggml.token_type' has 2 entries for 5 tokens"));
  CHECK_THAT(error_of(tokens(5).set("tokenizer.ggml.scores", 9, array(8, 1, one))),
             Contains("expected an array of numbers"));
  CHECK_THAT(error_of(tokens(5).u32("tokenizer.ggml.eos_token_id", 5)),
             Contains("key 'tokenizer.ggml.eos_token_id': 5 is no id of a vocabulary of 5"));
  CHECK_THAT(error_of(MicroGguf().u32("tokenizer.ggml.tokens", 5)), Contains("expected an array, found u32"));
  const auto stops = tokens(5).u32("tokenizer.ggml.eot_token_id", 3).u32("tokenizer.ggml.eom_token_id", 4);
  CHECK(open(stops)->tokenizer().eot == 3);
  CHECK(open(stops)->stop_ids() == std::vector<int>{4});
  CHECK(open(MicroGguf().text("tokenizer.ggml.model", "llama"))->tokenizer().add_bos);
}

TEST_CASE("weights that are not finite are found with their tensor and row", "[files]") {
  std::vector<float> values(16, 0.5F);
  values[2 * 4 + 1] = NAN;
  const auto files = open(MicroGguf().tensor("blk.0.attn_output.weight", {4, 4}, values));
  const auto matrix = files->matrix("blk.0.attn_output.weight", 4, 4);
  std::vector<float> out(16);
  matrix.read_rows(0, 2, out.data());
  CHECK_THROWS_WITH(matrix.read_rows(0, 4, out.data()),
                    Contains("tensor 'blk.0.attn_output.weight': row 2, column 1 is nan"));
  const auto norm = open(MicroGguf().tensor("output_norm.weight", {4}, {1, 1, -INFINITY, 1}));
  CHECK_THROWS_WITH(norm->vector("output_norm.weight", 4),
                    Contains("tensor 'output_norm.weight': row 0, column 2 is -inf"));
}

TEST_CASE("tensors are fetched by name and shape", "[files]") {
  const auto files = open(MicroGguf());
  CHECK(files->has("blk.0.ffn_up.weight"));
  CHECK_FALSE(files->has("output.weight"));
  CHECK(files->config().tied_head);
  CHECK_THROWS_WITH(files->matrix("blk.0.ffn_up.weight", 6, 5),
                    Contains("tensor 'blk.0.ffn_up.weight': wanted [6, 5], found [6, 4]"));
  CHECK_THROWS_WITH(files->vector("blk.0.ffn_up.weight", 24), Contains("wanted [24], found [6, 4]"));
  CHECK_THROWS_WITH(files->matrix("output.weight", 5, 4), Contains("the model has no tensor 'output.weight'"));
  const auto matrix = files->matrix("blk.0.ffn_up.weight", 6, 4);
  CHECK(matrix.name == "blk.0.ffn_up.weight");
  CHECK(matrix.raw.size() == 96);
  CHECK_THROWS_AS(matrix.read_rows(5, 2, nullptr), Error);
}

TEST_CASE("interleaved heads are handed out in halves, biases too", "[files]") {
  MicroGguf model;
  model.u32("llama.attention.head_count", 1)
      .u32("llama.attention.head_count_kv", 1)
      .u32("llama.attention.key_length", 4);
  model.u32("llama.attention.value_length", 4);
  const std::vector<float> rows{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
  model.tensor("blk.0.attn_q.weight", {4, 4}, rows).tensor("blk.0.attn_k.weight", {4, 4}, rows);
  model.tensor("blk.0.attn_v.weight", {4, 4}, rows);
  for (const char* name : {"q", "k", "v"}) model.tensor(std::string("blk.0.attn_") + name + ".bias", {4}, {0, 1, 2, 3});
  const auto order = [&](const MicroGguf& spoiled, const char* name) {
    const auto files = open(spoiled);
    std::vector<float> out(16);
    const auto matrix = files->matrix(std::string("blk.0.attn_") + name + ".weight", 4, 4);
    CHECK((matrix.stored_row != nullptr) == (name[0] != 'v'));
    matrix.read_rows(0, 4, out.data());
    const std::vector<float> first{out[0], out[4], out[8], out[12]};
    for (std::int64_t row = 0; matrix.stored_row && row < 4; ++row)
      CHECK(matrix.stored_row(row) == static_cast<std::int64_t>(first[static_cast<std::size_t>(row)]));
    CHECK(files->vector(std::string("blk.0.attn_") + name + ".bias", 4) == first);
    return first;
  };
  CHECK(order(model, "q") == std::vector<float>{0, 2, 1, 3});
  CHECK(order(model, "k") == std::vector<float>{0, 2, 1, 3});
  CHECK(order(model, "v") == std::vector<float>{0, 1, 2, 3});
  // Where only the first columns of a head rotate, the others stay.
  CHECK(order(MicroGguf(model).u32("llama.rope.dimension_count", 2), "q") == std::vector<float>{0, 1, 2, 3});
}
