#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "apps/kvmend/command.h"
#include "backend/backend.h"
#include "model/chat.h"
#include "model/model_files.h"
#include "model/tokenizer.h"

namespace kvmend {

/// --model, --device, --dtype, --threads: the options of every command that runs a model.
struct ModelOptions {
  std::string model, device = "auto", dtype = "f32";
  int threads = 0;

  void add_to(CLI::App& app, bool with_backend = true);
  /// For requests of at most so many tokens, answers included: a card keeps memory for them. `unrotated` as request_bytes
  /// takes it.
  BackendOptions backend(const ModelConfig& config, int tokens, bool unrotated = false) const;
};

/// A model's files with its tokenizer.
struct OpenedModel {
  std::unique_ptr<ModelFiles> files;
  std::unique_ptr<Tokenizer> tokenizer;
};
OpenedModel open_named_model(const std::string& name);

/// `argument` is text, a file's path or "-" for standard input: its content.
std::string read_text_argument(const std::string& argument);

/// "1,2,3" → ids. Throws Error(usage) naming what is not a number.
std::vector<std::int32_t> parse_ids(const std::string& text);

}  // namespace kvmend
