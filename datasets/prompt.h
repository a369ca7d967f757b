#pragma once
// From a task's text to the tokens and units that run.
#include <string>
#include <utility>
#include <vector>

#include "datasets/chunker.h"
#include "datasets/task.h"
#include "model/chat.h"
#include "model/tokenizer.h"
#include "recompute/request.h"

namespace kvmend {

enum class TokenizeMode : std::uint8_t { whole, units };

struct PromptOptions {
  const Tokenizer* tokenizer = nullptr;
  const ChatFormat* chat = nullptr;
  std::string system;
  const Chunker* chunker = nullptr;
  TokenizeMode tokenize = TokenizeMode::whole;
  bool keep_answer_space = false;  ///< keep the answer prefix's leading space behind a chat header too
  bool keep_bos = false;           ///< BOS begins the prompt even where the tokenizer adds none
};

/// A sample as it is sent. request.text is the prompt; concatenating the units' and the query's tokens gives the tokens of
/// one tokenisation of it (tokenize: whole), boundaries at token ends.
struct Prompt {
  TaskSample sample;
  Request request;
  std::vector<std::pair<int, int>> evidence;  ///< context token ranges that overlap each evidence span
  std::vector<bool> evidence_cut;             ///< true if a unit boundary cuts it
  std::string hash;                           ///< SHA-256 over the ids and unit boundaries
};

Prompt build_prompt(TaskSample sample, const PromptOptions& options);
int count_prompt_tokens(const TaskSample& sample, const PromptOptions& options);

}  // namespace kvmend
