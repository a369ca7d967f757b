// Every RULER task from 1K to 128K with the tokenizers of models that people run; hidden, for it needs their files.
#include <filesystem>

#include "catch.h"
#include "core/error.h"
#include "fakes.h"
#include "model/locate.h"
#include "model/model_files.h"
#include "support/require_model.h"
#include "temp_folder.h"

using namespace kvmend;

namespace {

/// SQuAD's form, with enough text for 128K tokens.
void write_squad(const TempFolder& folder) {
  std::string data;
  for (int i = 0; i < 6000; ++i) {
    const std::string k = std::to_string(i);
    data += std::string(i ? "," : "") + R"({"title": "T", "paragraphs": [{"context": "The mill of parish )" + k +
            R"( was built by Anna )" + k +
            R"( in the year of the flood, and stood by the river until it burned.", "qas": )" + R"([{"id": "q)" + k +
            R"(", "question": "Who built the mill of parish )" + k + R"(?", "answers": [{"text": "Anna )" + k +
            R"("}]}]}]})";
  }
  folder.write("squad.json", R"({"version": "v2.0", "data": [)" + data + "]}");
}

void check_sizes(const std::string& model) {
  const auto path = models_dir() / (model + ".gguf");
  if (!test::require_model(model, std::filesystem::exists(path))) return;
  const TempFolder folder;
  write_squad(folder);
  const auto files = open_model(path);
  const auto tokenizer = make_tokenizer(*files);
  const auto chat = find_chat_format("auto", files->chat_template());
  const auto chunker = make_chunker("fixed");
  const PromptOptions options{.tokenizer = tokenizer.get(), .chat = chat.get(), .chunker = chunker.get()};
  TaskContext context;
  context.folder = folder.path;
  context.prompt_tokens = [&](const TaskSample& sample) { return count_prompt_tokens(sample, options); };
  for (const auto& name : expand_task_group("ruler/all", {})) {
    for (int length = 1024; length <= 131072; length *= 2) {
      INFO(name << " at " << length << " with " << model);
      Value params = yaml_map({{"length", length}, {"samples", 3}});
      if (name.starts_with("ruler/qa")) params.set("file", "squad.json");
      std::unique_ptr<Task> task;
      try {
        task = make_task(name, params, context);
      } catch (const Error& error) {
        FAIL(error.what());
      }
      for (int i = 0; i < 3; ++i) {
        const TaskSample sample = task->sample(i);
        const int tokens = count_prompt_tokens(sample, options) + sample.max_new_tokens;
        CHECK(tokens <= length);
        // One more unit of the haystack would be too much. fwe's is a word whose repeats make most of the text: another
        // sample's words may take fewer tokens than sample 0's, by which it is sized.
        CHECK(tokens > length - (name == "ruler/fwe" ? length / 8 : std::max(150, length / 50)));
        for (const auto& reference : sample.references) CHECK(sample.context.find(reference) != std::string::npos);
      }
    }
  }
}

}  // namespace

TEST_CASE("every RULER task fits 1K to 128K: SmolLM2's tokenizer", "[.slow]") { check_sizes("smollm2-135m"); }
TEST_CASE("every RULER task fits 1K to 128K: Qwen2.5's tokenizer", "[.qwen]") { check_sizes("qwen2.5-coder-0.5b"); }
