#include "apps/kvmend/model_options.h"

#include <charconv>
#include <iostream>
#include <iterator>

#include "core/error.h"
#include "core/file.h"
#include "model/locate.h"
#include "recompute/engine.h"

namespace kvmend {

void ModelOptions::add_to(CLI::App& app, bool with_backend) {
  app.add_option("--model", model, "a name `kvmend fetch` knows, a .gguf file, or a Hugging Face folder")->required();
  if (!with_backend) return;
  app.add_option("--device", device, fmt::format("cpu, reference, cuda or cuda:N; {}", auto_device_help))
      ->capture_default_str();
  app.add_option("--dtype", dtype, "f32 or bf16")->check(CLI::IsMember({"f32", "bf16"}))->capture_default_str();
  app.add_option("--threads", threads, "0: all processors of this process")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

BackendOptions ModelOptions::backend(const ModelConfig& config, int tokens, bool unrotated) const {
  BackendOptions options{device, dtype == "bf16" ? DType::bf16 : DType::f32, threads};
  options.work_bytes = request_bytes(config, options.dtype, tokens, unrotated);
  return options;
}

OpenedModel open_named_model(const std::string& name) {
  OpenedModel opened;
  opened.files = open_model(locate_model(name));
  opened.tokenizer = make_tokenizer(*opened.files);
  return opened;
}

std::string read_text_argument(const std::string& argument) {
  if (argument == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::error_code ignored;
  if (std::filesystem::is_regular_file(argument, ignored)) return read_file(argument);
  return argument;
}

std::vector<std::int32_t> parse_ids(const std::string& text) {
  std::vector<std::int32_t> ids;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    std::int32_t id = 0;
    const auto [stop, error] = std::from_chars(item.data(), item.data() + item.size(), id);
    if (error != std::errc() || stop != item.data() + item.size() || id < 0) {
      fail(ErrorKind::usage, "--ids: '{}' is not a token id; write them as 1,2,3", item);
    }
    ids.push_back(id);
    begin = end + 1;
  }
  return ids;
}

}  // namespace kvmend
