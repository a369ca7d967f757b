#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kvmend {

/// What surrounds the user's text: head + text + tail, and the answer is generated behind the tail.
/// Thinking is off and dates are pinned (llama3: 26 Jul 2024), so that a prompt is the same every day.
struct ChatFrame {
  std::string head;  ///< BOS text where the format has one, system message, user header
  std::string tail;  ///< end of the user's turn, assistant header
};

class ChatFormat {
 public:
  virtual ~ChatFormat() = default;
  virtual std::string name() const = 0;  ///< raw, chatml, llama3, mistral, gemma, qwen3
  /// `system` empty: the format's own default (ChatML of Qwen2.5 and SmolLM2 has one, taken from the model's template).
  virtual ChatFrame frame(std::string_view system) const = 0;
};

/// `name` is a format or "auto". auto: recognises the model's template by fingerprint; a template that is not
/// recognised throws Error(usage) that says so and names --chat; no template at all gives raw.
std::unique_ptr<const ChatFormat> find_chat_format(std::string_view name, std::string_view model_template);
std::vector<std::string> chat_format_names();

}  // namespace kvmend
