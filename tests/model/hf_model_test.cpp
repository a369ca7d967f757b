// config.json and the files beside it as a model's configuration.
#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "model/file_builders.h"
#include "model/model_files.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Contains;

namespace {

std::string error_of(const FolderCopy& copy) {
  try {
    open_model(copy.folder.path());
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
}

std::string error_after(const char* patch) { return error_of(FolderCopy("tiny-llama").patch(patch)); }

ModelConfig config_after(const std::string& model, const char* patch) {
  return open_model(FolderCopy(model).patch(patch).folder.path())->config();
}

}  // namespace

TEST_CASE("a folder's config.json becomes the configuration", "[files]") {
  const auto files = open_model(tiny_models / "tiny-llama3");
  const ModelConfig& c = files->config();
  CHECK(c.architecture == "llama");
  CHECK(c.name == "tiny-llama3");
  CHECK(c.n_layers == 3);
  CHECK(c.d_model == 64);
  CHECK(c.n_heads == 4);
  CHECK(c.n_kv_heads == 1);
  CHECK(c.head_dim == 12);
  CHECK(c.d_ff == 96);
  CHECK(c.vocab == 320);
  CHECK(c.context_length == 1024);
  CHECK(c.norm_eps == 1e-6F);
  CHECK(c.tied_head);
  CHECK(c.rope.scaling == RopeConfig::Scaling::llama3);
  CHECK(c.rope.original_context == 64);
  CHECK_FALSE(files->has("output.weight"));
  CHECK(files->tokenizer().json_path == tiny_models / "tiny-llama3" / "tokenizer.json");
  CHECK(files->tokenizer().bos == 0);
  CHECK(files->tokenizer().eos == 2);
  CHECK(files->stop_ids().empty());
  CHECK_THAT(files->chat_template(), Contains("<|im_start|>"));
  CHECK(open_model(tiny_models / "tiny-qwen2")->config().qkv_bias);
  CHECK_FALSE(open_model(tiny_models / "tiny-qwen2")->config().output_bias);
  const ModelConfig biased = open_model(tiny_models / "tiny-llama-shards")->config();
  CHECK((biased.qkv_bias && biased.output_bias && biased.mlp_bias));
}

TEST_CASE("the identity of a folder covers weights and configuration, not names", "[files]") {
  const FolderCopy copy("tiny-llama");
  const std::string original = open_model(tiny_models / "tiny-llama")->sha256();
  CHECK(open_model(copy.folder.path())->sha256() == original);
  copy.folder.write("README.md", "unrelated");
  CHECK(open_model(copy.folder.path())->sha256() == original);
  FolderCopy other("tiny-llama");
  CHECK(open_model(other.patch(R"({"rope_parameters": {"rope_theta": 20000.0}})").folder.path())->sha256() != original);
  CHECK(open_model(tiny_models / "tiny-llama3")->sha256() != original);
}

TEST_CASE("config.json's missing keys take their type's values", "[files]") {
  CHECK(config_after("tiny-llama", R"({"head_dim": null})").head_dim == 16);
  CHECK(config_after("tiny-llama", R"({"rms_norm_eps": null})").norm_eps == 1e-6F);
  CHECK(config_after("tiny-llama", R"({"rope_parameters": null, "rope_theta": 7000})").rope.base == 7000);
  CHECK(config_after("tiny-llama", R"({"hidden_act": "gelu_pytorch_tanh"})").activation == Activation::gelu_tanh);
  CHECK_THAT(error_after(R"({"num_key_value_heads": null})"),
             Contains("has shape [32, 96]; the configuration asks for [96, 96]"));
}

TEST_CASE("windows follow each type's rule", "[files]") {
  CHECK(config_after("tiny-mistral", "{}").sliding_window == 24);
  CHECK(config_after("tiny-mistral", "{}").windowed.empty());
  CHECK(config_after("tiny-mistral", R"({"sliding_window": null})").sliding_window == 4096);
  FolderCopy off("tiny-mistral");  // null in the file, unlike a missing key, means none
  auto json = nlohmann::json::parse(read_file(off.folder / "config.json"));
  json["sliding_window"] = nullptr;
  off.folder.write("config.json", json.dump());
  CHECK(open_model(off.folder.path())->config().sliding_window == 0);

  CHECK(config_after("tiny-llama", R"({"sliding_window": 24})").sliding_window == 0);
  CHECK(config_after("tiny-qwen2", R"({"sliding_window": 24})").sliding_window == 0);
  const ModelConfig upper = config_after(
      "tiny-qwen2",
      R"({"use_sliding_window": true, "sliding_window": 24, "max_window_layers": 2, "layer_types": null})");
  CHECK(upper.sliding_window == 24);
  CHECK(upper.windowed == std::vector<bool>{false, false, true});
  const ModelConfig typed =
      config_after("tiny-qwen2", R"({"use_sliding_window": true, "sliding_window": 24, "layer_types":
      ["sliding_attention", "full_attention", "full_attention"]})");
  CHECK(typed.windowed == std::vector<bool>{true, false, false});
  const ModelConfig none = config_after("tiny-qwen2", R"({"use_sliding_window": true, "sliding_window": 24,
      "max_window_layers": 3, "layer_types": null})");
  CHECK(none.sliding_window == 0);
  CHECK(none.windowed.empty());
  for (const char* types :
       {"7", R"(["full_attention"])", R"(["full_attention", "full_attention", "chunked_attention"])"}) {
    const std::string patch =
        R"({"use_sliding_window": true, "sliding_window": 24, "layer_types": )" + std::string(types) + "}";
    CHECK_THAT(error_of(FolderCopy("tiny-qwen2").patch(patch.c_str())), Contains("for each of 3 layers"));
  }
}

TEST_CASE("Gemma 3's windows and two RoPE bases are read in both spellings", "[files]") {
  const ModelConfig c = open_model(tiny_models / "tiny-gemma3")->config();
  CHECK(c.sliding_window == 24);
  CHECK(c.windowed == std::vector<bool>{true, false, true});
  CHECK(c.norm_place == NormPlace::around);
  CHECK(c.attention_scale == 0.25F);  // 1/√query_pre_attn_scalar
  CHECK(c.tied_head);
  CHECK(c.rope.base == 1e6);
  CHECK(c.rope.factor == 8);
  REQUIRE(c.window_rope.has_value());
  CHECK(c.window_rope->base == 10000);
  CHECK(c.window_rope->scaling == RopeConfig::Scaling::none);

  const ModelConfig old = config_after("tiny-gemma3", R"({"rope_parameters": null, "rope_theta": 500000,
      "rope_local_base_freq": 7000, "rope_scaling": {"rope_type": "linear", "factor": 4}, "layer_types": null,
      "sliding_window_pattern": 2})");
  CHECK(old.windowed == c.windowed);
  CHECK(old.rope.base == 500000);
  CHECK(old.rope.factor == 4);
  REQUIRE(old.window_rope.has_value());
  CHECK(old.window_rope->base == 7000);
  CHECK(old.window_rope->scaling == RopeConfig::Scaling::none);
  CHECK(config_after("tiny-gemma3", R"({"layer_types": null})").windowed == std::vector<bool>{true, true, true});
  for (const char* other : {R"({"final_logit_softcapping": 30.0})", R"({"use_bidirectional_attention": true})"}) {
    CHECK_THAT(error_of(FolderCopy("tiny-gemma3").patch(other)), Contains("gemma3 models with another value than"));
  }
}

TEST_CASE("Qwen3, GPT-2 and BERT are read as what they are", "[files]") {
  const ModelConfig qwen = open_model(tiny_models / "tiny-qwen3")->config();
  CHECK(qwen.qk_norm);
  CHECK_FALSE(qwen.qkv_bias);
  CHECK_THAT(error_of(FolderCopy("tiny-qwen3").patch(R"({"attention_bias": true})")), Contains("'attention_bias'"));

  const ModelConfig gpt2 = open_model(tiny_models / "tiny-gpt2")->config();
  CHECK(gpt2.position == PositionKind::learned);
  CHECK(gpt2.norm == NormKind::layer);
  CHECK(gpt2.context_length == 128);
  CHECK(gpt2.activation == Activation::gelu_tanh);
  CHECK_FALSE(gpt2.gated_mlp);
  CHECK_THAT(error_of(FolderCopy("tiny-gpt2").patch(R"({"n_inner": null})")),
             Contains("has shape [32, 40]; the configuration asks for [32, 128]"));
  CHECK_THAT(error_of(FolderCopy("tiny-gpt2").patch(R"({"scale_attn_by_inverse_layer_idx": true})")),
             Contains("'scale_attn_by_inverse_layer_idx': gpt2 models with another value than false"));

  const ModelConfig bert = open_model(tiny_models / "tiny-bert")->config();
  CHECK_FALSE(bert.causal);
  CHECK(bert.norm_place == NormPlace::after);
  CHECK(bert.token_types == 2);
  CHECK(bert.norm_eps == 1e-12F);
  CHECK_THAT(error_of(FolderCopy("tiny-bert").patch(R"({"position_embedding_type": "relative_key"})")),
             Contains("bert models with another value than"));
}

TEST_CASE("stop tokens and templates are found in the files that hold them", "[files]") {
  FolderCopy copy("tiny-llama");
  copy.patch(R"({"eos_token_id": [2, 5]})").patch_file("generation_config.json", R"({"eos_token_id": [2, 7, 0]})");
  const auto files = open_model(copy.folder.path());
  CHECK(files->tokenizer().eos == 2);
  CHECK(files->stop_ids() == std::vector<int>{0, 5, 7});
  for (const char* bad : {"320", "-1", "\"2\"", "[2, 1.5]", "[[2]]"}) {
    const std::string patch = R"({"eos_token_id": )" + std::string(bad) + "}";
    CHECK_THAT(error_after(patch.c_str()), Contains("key 'eos_token_id': expected an id below 320 or a list of them"));
  }

  std::filesystem::remove(copy.folder / "chat_template.jinja");
  CHECK(open_model(copy.folder.path())->chat_template().empty());
  copy.patch_file("tokenizer_config.json", R"({"chat_template": "one"})");
  CHECK(open_model(copy.folder.path())->chat_template() == "one");
  copy.patch_file(
      "tokenizer_config.json",
      R"({"chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": "two"}]})");
  CHECK(open_model(copy.folder.path())->chat_template() == "two");
  copy.patch_file("tokenizer_config.json", R"({"chat_template": [{"name": 1}, 2]})");
  CHECK_THAT(error_of(copy), Contains("key 'chat_template': expected a string, or a list with one named \"default\""));
}

TEST_CASE("folders that are no model are refused", "[files]") {
  const TempFolder empty;
  CHECK_THROWS_WITH(open_model(empty.path()), Contains("no config.json is here"));
  CHECK_THROWS_WITH(open_model(empty / "absent"), Contains("absent: no such file or folder"));
  CHECK_THROWS_WITH(open_model(std::string(300, 'x')), Contains("no such file or folder"));
  CHECK_THROWS_WITH(open_model(empty.write("notes.txt", "hello")), Contains("not a GGUF file"));
  CHECK_THROWS_WITH(open_model(tiny_models / "tiny-llama" / "model.safetensors"),
                    Contains("to open a Hugging Face model, name its folder"));
  FolderCopy copy("tiny-llama");
  std::filesystem::rename(copy.folder / "model.safetensors", copy.folder / "pytorch_model.bin");
  CHECK_THAT(error_of(copy), Contains("must be converted to safetensors first"));
}

TEST_CASE("configurations that cannot be are refused", "[files]") {
  FolderCopy copy("tiny-llama");
  copy.folder.write("config.json", "{\n  \"model_type\": \"llama\",\n  oops\n}");
  CHECK_THAT(error_of(copy), Contains("config.json:3:3: not valid JSON"));
  CHECK_THAT(error_after(R"({"model_type": null})"), Contains("key 'model_type': missing"));
  CHECK_THAT(
      error_after(R"({"model_type": "mamba"})"),
      Contains(
          "the model_type 'mamba' is not supported; known: llama, mistral, qwen2, qwen3, gemma3_text, gpt2, bert"));
  CHECK_THAT(error_after(R"({"quantization_config": {"bits": 4}})"),
             Contains("quantised safetensors are not supported"));
  CHECK_THAT(error_after(R"({"hidden_size": null})"), Contains("key 'hidden_size': missing"));
  CHECK_THAT(error_after(R"({"hidden_size": "96"})"),
             Contains("expected an integer below 2^63, found the string '96'"));
  CHECK_THAT(error_after(R"({"hidden_size": 96.5})"), Contains("found 96.5"));
  CHECK_THAT(error_after(R"({"hidden_size": [96]})"), Contains("found array"));
  for (const char* size : {"0", "-1", "9223372036854775807", "4294967297"}) {
    const std::string patch = R"({"num_hidden_layers": )" + std::string(size) + "}";
    CHECK_THAT(error_after(patch.c_str()),
               Contains("key 'num_hidden_layers': " + std::string(size) + " is not within 1 to"));
  }
  CHECK_THAT(error_after(R"({"num_hidden_layers": 18446744073709551615})"), Contains("expected an integer below 2^63"));
  CHECK_THAT(error_after(R"({"num_hidden_layers": 5000})"), Contains("the number of layers is 5000; 1 to 4096"));
  CHECK_THAT(error_after(R"({"num_hidden_layers": 4})"),
             Contains("tensor 'model.layers.3.input_layernorm.weight' is missing; a llama model of 4 layers has it"));
  CHECK_THAT(error_after(R"({"num_hidden_layers": 2})"),
             Contains("tensor 'model.layers.2.") && Contains("has no place in a llama model"));
  CHECK_THAT(error_after(R"({"num_key_value_heads": 4})"), Contains("6 query heads cannot share 4"));
  CHECK_THAT(error_after(R"({"vocab_size": 321})"),
             Contains("tensor 'model.embed_tokens.weight' has shape [320, 96]; the configuration asks for [321, 96]"));
  CHECK_THAT(error_after(R"({"hidden_act": "relu"})"), Contains("the activation 'relu' is not known"));
  CHECK_THAT(error_after(R"({"attention_bias": true})"), Contains("self_attn.q_proj.bias' is missing"));
  CHECK_THAT(error_after(R"({"attention_bias": "yes"})"), Contains("expected true or false"));
  CHECK_THAT(error_after(R"({"rms_norm_eps": -1})"), Contains("epsilon is -1"));
  CHECK_THAT(error_after(R"({"tie_word_embeddings": true})"), Contains("'lm_head.weight' differs from the embedding"));
  CHECK_THAT(error_after(R"({"rope_parameters": {"rope_type": "dynamic", "factor": 2}})"), Contains("is refused"));
  CHECK_THAT(error_after(R"({"rope_parameters": {"rope_type": "linear", "factor": 0}})"),
             Contains("scaling factor is 0"));
  CHECK_THAT(error_after(R"({"head_dim": 15})"), Contains("an even number of them must"));
  FolderCopy untied("tiny-llama3");
  CHECK_THAT(error_of(untied.patch(R"({"tie_word_embeddings": false})")),
             Contains("tensor 'lm_head.weight' is missing"));
}

TEST_CASE("a tensor of a dtype we cannot read is refused when the model needs it", "[files]") {
  FolderCopy copy("tiny-llama");
  std::string file = read_file(copy.folder / "model.safetensors");
  const auto at = file.find("\"model.norm.weight\":{\"dtype\":\"F16\"");
  REQUIRE(at != std::string::npos);
  file.replace(file.find("F16", at), 3, "I16");
  copy.folder.write("model.safetensors", file);
  CHECK_THAT(error_of(copy), Contains("tensor 'model.norm.weight' has the type 'I16', which cannot be read"));
}
