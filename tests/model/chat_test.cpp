#include "model/chat.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/file.h"
#include "model/locate.h"
#include "model/model_files.h"
#include "paths.h"
#include "support/require_model.h"

using namespace kvmend;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

// Templates of our own with the marks and branches by which published ones are known.
const std::string chatml_template =
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}{{ '<|im_start|>system\nBe terse.<|im_end|>\n' }}"
    "{% endif %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";
const std::string qwen3_template = chatml_template + "{% if enable_thinking is false %}<think>\n\n</think>{% endif %}";
const std::string llama30_template = "<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content }}<|eot_id|>";
const std::string llama31_template = "Cutting Knowledge Date: December 2023" + llama30_template;
const std::string mistral_template = "{{ '[INST] ' + m.content + ' [/INST]' }}";
const std::string gemma_template = "<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>";

std::string prompt(std::string_view name, std::string_view chat_template, std::string_view system = "") {
  const ChatFrame frame = find_chat_format(name, chat_template)->frame(system);
  return frame.head + "U" + frame.tail;
}

std::string detected(std::string_view chat_template) { return find_chat_format("auto", chat_template)->name(); }

void check_model(const std::string& name) {
  const fs::path path = models_dir() / (name + ".gguf");
  const auto cases = nlohmann::json::parse(read_file(fs::path(source_folder()) / "tests/data/golden/chat.json"));
  for (const auto& golden : cases) {
    if (golden.at("model") != name) continue;
    if (!test::require_model(name, path_exists(path))) return;
    const auto format = find_chat_format("auto", open_model(path)->chat_template());
    CHECK(format->name() == golden.at("format"));
    for (const char* system : {"", "system"}) {
      const ChatFrame frame = format->frame(*system ? golden.at("system").get<std::string>() : "");
      CHECK(frame.head + golden.at("user").get<std::string>() + frame.tail ==
            golden.at(*system ? "with_system" : "without_system").get<std::string>());
    }
  }
}

}  // namespace

TEST_CASE("a model's chat format is known by its template's marks", "[chat]") {
  CHECK(detected("") == "raw");
  CHECK(detected(chatml_template) == "chatml");
  CHECK(detected(qwen3_template) == "qwen3");
  CHECK(detected(llama30_template) == "llama3");
  CHECK(detected(llama31_template) == "llama3");
  CHECK(detected(mistral_template) == "mistral");
  CHECK(detected(gemma_template) == "gemma");
}

TEST_CASE("an unknown or ambiguous template is an error that says what to do, never a guess", "[chat]") {
  const auto error_of = [](std::string_view name, std::string_view chat_template) -> std::string {
    try {
      find_chat_format(name, chat_template);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return error.what();
    }
    return "no error";
  };
  CHECK_THAT(error_of("auto", "### Human: {{ m.content }}"), Contains("no format known here") && Contains("--chat"));
  CHECK_THAT(error_of("auto", mistral_template + gemma_template), Contains("looks like both mistral and gemma"));
  CHECK_THAT(error_of("auto", "<<SYS>>" + mistral_template), Contains("no format known here"));  // Llama 2's
  CHECK_THAT(error_of("chatlm", ""), Contains("did you mean 'chatml'?"));
  CHECK(find_chat_format("raw", gemma_template)->name() == "raw");
}

TEST_CASE("frames of every format", "[chat]") {
  CHECK(prompt("raw", "") == "U");
  CHECK(prompt("raw", "", "S") == "S\n\nU");
  CHECK(prompt("chatml", chatml_template) ==
        "<|im_start|>system\nBe terse.<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
  CHECK(prompt("chatml", "", "S") ==
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
  CHECK(prompt("chatml", "") == "<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
  CHECK_THAT(prompt("qwen3", qwen3_template), Catch::EndsWith("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
  // The date is pinned: a prompt is the same on every day.
  CHECK(prompt("llama3", llama31_template, "S") ==
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n");
  CHECK(prompt("llama3", llama30_template) ==
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nU<|eot_id|><|start_header_id|>assistant"
        "<|end_header_id|>\n\n");
  CHECK(prompt("mistral", "", "S") == "<s>[INST] S\n\nU [/INST]");
  CHECK(prompt("gemma", "") == "<bos><start_of_turn>user\nU<end_of_turn>\n<start_of_turn>model\n");
}

TEST_CASE("SmolLM2's prompt is what its own template renders", "[chat][golden]") { check_model("smollm2-135m"); }
TEST_CASE("Qwen2.5-Coder's prompt is what its own template renders", "[.qwen]") { check_model("qwen2.5-coder-0.5b"); }
