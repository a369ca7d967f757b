#include "model/chat.h"

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/suggest.h"

namespace kvmend {
namespace {

/// A format as data: what it does with a system message, and the marks by which a model's template is known.
struct Description {
  const char* name;
  std::vector<std::string_view> marks;   ///< all occur in a template of this format
  std::vector<std::string_view> absent;  ///< none does

  ChatFrame (*frame)(std::string_view system, std::string_view model_template);
};

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

/// The system message that a ChatML template writes when it is given none: the text behind its literal
/// "<|im_start|>system\n" up to the end mark; "" if the template has none.
std::string chatml_default_system(std::string_view model_template) {
  for (const std::string_view newline : {std::string_view("\\n"), std::string_view("\n")}) {
    const std::string open = joined({"<|im_start|>system", newline});
    for (std::size_t at = model_template.find(open); at != std::string_view::npos;
         at = model_template.find(open, at + 1)) {
      const std::size_t begin = at + open.size();
      const std::size_t end = model_template.find("<|im_end|>", begin);
      const std::string_view text = model_template.substr(begin, end == std::string_view::npos ? 0 : end - begin);
      // A literal message, not the start of an expression like ' + messages[0].content + '.
      if (!text.empty() && text.find_first_of("'\"{+") == std::string_view::npos) return std::string(text);
    }
  }
  return "";
}

ChatFrame raw(std::string_view system, std::string_view) {
  return {system.empty() ? "" : joined({system, "\n\n"}), ""};
}

ChatFrame chatml(std::string_view system, std::string_view model_template) {
  const std::string message = system.empty() ? chatml_default_system(model_template) : std::string(system);
  const std::string head = message.empty() ? "" : joined({"<|im_start|>system\n", message, "<|im_end|>\n"});
  return {head + "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"};
}

/// Qwen3 with thinking off: its template answers an empty thought itself.
ChatFrame qwen3(std::string_view system, std::string_view) {
  const std::string head = system.empty() ? "" : joined({"<|im_start|>system\n", system, "<|im_end|>\n"});
  return {head + "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"};
}

/// Llama 3.1 and later write two date lines; today is pinned to the template's own default. Llama 3.0 writes neither.
ChatFrame llama3(std::string_view system, std::string_view model_template) {
  const bool dated = model_template.empty() || model_template.find("Cutting Knowledge Date") != std::string_view::npos;
  std::string message;
  if (dated) message = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  message += system;
  std::string head = "<|begin_of_text|>";
  if (dated || !system.empty())
    head += joined({"<|start_header_id|>system<|end_header_id|>\n\n", message, "<|eot_id|>"});
  return {head + "<|start_header_id|>user<|end_header_id|>\n\n",
          "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"};
}

/// No system role: the message stands before the user's text.
ChatFrame mistral(std::string_view system, std::string_view) {
  return {joined({"<s>[INST] ", system, system.empty() ? "" : "\n\n"}), " [/INST]"};
}

ChatFrame gemma(std::string_view system, std::string_view) {
  return {joined({"<bos><start_of_turn>user\n", system, system.empty() ? "" : "\n\n"}),
          "<end_of_turn>\n<start_of_turn>model\n"};
}

const std::vector<Description>& descriptions() {
  static const std::vector<Description> all{
      {"raw", {}, {}, raw},
      {"chatml", {"<|im_start|>", "<|im_end|>"}, {"<think>"}, chatml},
      {"llama3", {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}, {}, llama3},
      {"mistral", {"[INST]", "[/INST]"}, {"<<SYS>>"}, mistral},
      {"gemma", {"<start_of_turn>", "<end_of_turn>"}, {}, gemma},
      {"qwen3", {"<|im_start|>", "<|im_end|>", "<think>", "enable_thinking"}, {}, qwen3},
  };
  return all;
}

class DescribedFormat final : public ChatFormat {
 public:
  DescribedFormat(const Description& description, std::string_view model_template)
      : description_(description), template_(model_template) {}
  std::string name() const override { return description_.name; }
  ChatFrame frame(std::string_view system) const override { return description_.frame(system, template_); }

 private:
  const Description& description_;
  std::string template_;
};

bool recognises(const Description& description, std::string_view model_template) {
  const auto occurs = [&](std::string_view mark) { return model_template.find(mark) != std::string_view::npos; };
  for (const std::string_view mark : description.marks) {
    if (!occurs(mark)) return false;
  }
  for (const std::string_view mark : description.absent) {
    if (occurs(mark)) return false;
  }
  return !description.marks.empty();
}

const Description& recognised(std::string_view model_template) {
  if (model_template.empty()) return descriptions().front();
  const Description* found = nullptr;
  for (const Description& description : descriptions()) {
    if (!recognises(description, model_template)) continue;
    if (found) {
      fail(ErrorKind::usage,
           "the model's chat template looks like both {} and {}; say which with --chat (config: chat:)", found->name,
           description.name);
    }
    found = &description;
  }
  if (!found) {
    fail(ErrorKind::usage,
         "the model's chat template is of no format known here ({}); name one with --chat (config: chat:), "
         "raw sends the text as it is",
         fmt::join(chat_format_names(), ", "));
  }
  return *found;
}

}  // namespace

std::unique_ptr<const ChatFormat> find_chat_format(std::string_view name, std::string_view model_template) {
  if (name == "auto") return std::make_unique<DescribedFormat>(recognised(model_template), model_template);
  for (const Description& description : descriptions()) {
    if (name == description.name) return std::make_unique<DescribedFormat>(description, model_template);
  }
  std::vector<std::string> names = chat_format_names();
  names.insert(names.begin(), "auto");
  fail(ErrorKind::usage, "unknown chat format '{}'{}", name, did_you_mean(name, names));
}

std::vector<std::string> chat_format_names() {
  std::vector<std::string> names;
  for (const Description& description : descriptions()) names.emplace_back(description.name);
  return names;
}

}  // namespace kvmend
