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
  std::string system{};  ///< empty: the chat format's own default
  const Chunker* chunker = nullptr;
  TokenizeMode tokenize = TokenizeMode::whole;
  bool keep_answer_space = false;  ///< keep the answer prefix's leading space behind a chat header too
  bool keep_bos = false;           ///< BOS begins every unit, also where the tokenizer adds none (STRATEGIES §0)
};

/// A sample as it is sent. request.text is the prompt; concatenating the units' and the query's tokens gives the tokens of
/// one tokenisation of it (tokenize: whole), boundaries at token ends, but for the BOS of keep_bos.
struct Prompt {
  TaskSample sample;
  Request request;
  std::vector<std::pair<int, int>> evidence;  ///< context token ranges that overlap each evidence span
  std::vector<bool> evidence_cut;             ///< true if a unit boundary cuts it
  std::size_t context_begin = 0;              ///< byte offset in request.text where the sample's context starts
  std::size_t query_begin = 0;                ///< byte offset in request.text where the sample's query starts
  std::size_t answer_begin = 0;               ///< byte offset in request.text where the answer prefix starts
  std::string hash;                           ///< prompt_hash(request)
};

/// SHA-256 over the ids, the units' kinds and their boundaries.
std::string prompt_hash(const Request& request);

/// Throws Error(usage) where nothing follows the context or the chunker cannot cut it.
Prompt build_prompt(TaskSample sample, const PromptOptions& options);
/// Tokens of build_prompt(sample, options), query included; of keep_bos's only the first with tokenize: whole, so that a
/// task's samples do not depend on the chunker.
int count_prompt_tokens(const TaskSample& sample, const PromptOptions& options);

}  // namespace kvmend
