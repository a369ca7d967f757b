#include "model/tokenizer/json_components.h"

#include "core/error.h"
#include "model/in_quotes.h"
#include "model/tokenizer/bert_pipeline.h"
#include "model/tokenizer/word_mark.h"

namespace kvmend {
namespace {

const std::vector<std::string> known_normalizers{"BertNormalizer", "NFC", "Prepend", "Replace", "Sequence"};
const std::vector<std::string> known_pre_tokenizers{"BertPreTokenizer", "ByteLevel", "Digits",
                                                    "Metaspace",        "Sequence",  "Split"};
const std::vector<std::string> known_decoders{"ByteFallback", "ByteLevel", "Fuse",  "Metaspace",
                                              "Replace",      "Sequence",  "Strip", "WordPiece"};
const std::vector<std::string> known_processors{"BertProcessing", "ByteLevel", "Sequence", "TemplateProcessing"};

struct NamedPattern {
  Pattern pattern;
  std::string text;
  bool literal = false;
};

/// {"String": "…"} or {"Regex": "…"}.
NamedPattern read_pattern(const JsonField& field) {
  if (const JsonField text = field.get("String"); !text.is_null()) {
    return {Pattern::literal(text.text(), text.place()), text.text(), true};
  }
  const JsonField expression = field.get("Regex");
  if (expression.is_null()) field.refuse("a pattern is {\"String\": …} or {\"Regex\": …}");
  return {Pattern(expression.text(), expression.place()), expression.text(), false};
}

SplitBehavior read_behavior(const JsonField& field) {
  const std::string name = field.text();
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  field.refuse(
      fmt::format("the behavior {} is unknown; known: Removed, Isolated, MergedWithPrevious, "
                  "MergedWithNext, Contiguous",
                  in_quotes(name)));
}

NormalizerPtr read_bert_normalizer(const JsonField& field) {
  BertNormalizing what;
  what.clean_text = field.flag("clean_text", true);
  what.handle_chinese_chars = field.flag("handle_chinese_chars", true);
  what.lowercase = field.flag("lowercase", true);
  what.strip_accents = field.flag("strip_accents", what.lowercase);
  return make_bert_normalizer(what);
}

NormalizerPtr read_replace(const JsonField& field, JsonTraits& traits) {
  NamedPattern pattern = read_pattern(field.at("pattern"));
  std::string content = field.at("content").text();
  if (pattern.literal && pattern.text == " " && !content.empty()) traits.space_mark = content;
  const std::string description = fmt::format("{}:{:?}", pattern.literal ? "string" : "regex", pattern.text);
  return make_replace(std::move(pattern.pattern), description, std::move(content));
}

void add_normalizers(const JsonField& field, std::vector<NormalizerPtr>& steps, JsonTraits& traits) {
  const std::string type = field.type("normalizer", known_normalizers);
  if (type == "BertNormalizer") {
    steps.push_back(read_bert_normalizer(field));
  } else if (type == "NFC") {
    steps.push_back(make_nfc());
  } else if (type == "Prepend") {
    std::string prefix = field.at("prepend").text();
    traits.strips_space = traits.every_section = prefix == word_mark;
    steps.push_back(make_prepend(std::move(prefix)));
  } else if (type == "Replace") {
    steps.push_back(read_replace(field, traits));
  } else {
    for (const JsonField& part : field.at("normalizers").list()) add_normalizers(part, steps, traits);
  }
}

PreTokenizerPtr read_metaspace(const JsonField& field, JsonTraits& traits) {
  const std::string mark = field.at("replacement").text();
  PrependScheme scheme = field.flag("add_prefix_space", true) ? PrependScheme::always : PrependScheme::never;
  if (const JsonField named = field.get("prepend_scheme"); !named.is_null()) {
    const std::string name = named.text();
    if (name != "always" && name != "never" && name != "first") {
      named.refuse(fmt::format("the scheme {} is unknown; known: always, never, first", in_quotes(name)));
    }
    scheme = name == "always" ? PrependScheme::always : name == "first" ? PrependScheme::first : PrependScheme::never;
  }
  traits.space_mark = mark;
  traits.strips_space = scheme != PrependScheme::never;
  traits.every_section = scheme == PrependScheme::always;
  return make_metaspace(mark, scheme, field.flag("split", true));
}

PreTokenizerPtr read_split(const JsonField& field) {
  NamedPattern pattern = read_pattern(field.at("pattern"));
  const std::string description = fmt::format("{}:{:?}", pattern.literal ? "string" : "regex", pattern.text);
  return make_split(std::move(pattern.pattern), description, read_behavior(field.at("behavior")),
                    field.flag("invert", false));
}

void add_pre_tokenizers(const JsonField& field, std::vector<PreTokenizerPtr>& steps, JsonTraits& traits) {
  const std::string type = field.type("pre-tokenizer", known_pre_tokenizers);
  if (type != "Sequence" && traits.byte_level) field.refuse("ByteLevel must be the last pre-tokenizer");
  if (type == "BertPreTokenizer") {
    steps.push_back(make_bert_pre_tokenizer());
  } else if (type == "ByteLevel") {
    traits.byte_level = true;
    steps.push_back(make_byte_level(field.flag("add_prefix_space", true), field.flag("use_regex", true)));
  } else if (type == "Digits") {
    steps.push_back(make_digits(field.flag("individual_digits", false)));
  } else if (type == "Metaspace") {
    steps.push_back(read_metaspace(field, traits));
  } else if (type == "Split") {
    steps.push_back(read_split(field));
  } else {
    for (const JsonField& part : field.at("pretokenizers").list()) add_pre_tokenizers(part, steps, traits);
  }
}

}  // namespace

NormalizerPtr read_normalizer(const JsonField& field, JsonTraits& traits) {
  if (field.is_null()) return nullptr;
  std::vector<NormalizerPtr> steps;
  add_normalizers(field, steps, traits);
  // Without a mark to turn into a space there is nothing that decoding could take away.
  if (traits.space_mark != word_mark) traits.strips_space = false;
  return make_sequence(std::move(steps));
}

PreTokenizerPtr read_pre_tokenizer(const JsonField& field, JsonTraits& traits) {
  if (field.is_null()) return nullptr;
  std::vector<PreTokenizerPtr> steps;
  add_pre_tokenizers(field, steps, traits);
  return make_sequence(std::move(steps));
}

void check_decoder(const JsonField& field) {
  if (field.is_null() || field.type("decoder", known_decoders) != "Sequence") return;
  for (const JsonField& part : field.at("decoders").list()) check_decoder(part);
}

Ends read_ends(const JsonField& field) {
  Ends ends;
  if (field.is_null()) return ends;
  const std::string type = field.type("post-processor", known_processors);
  if (type == "Sequence") {
    for (const JsonField& part : field.at("processors").list()) {
      const Ends found = read_ends(part);
      if (ends.leading.empty()) ends.leading = found.leading;
      if (!found.trailing.empty()) ends.trailing = found.trailing;
    }
  } else if (type == "BertProcessing") {
    const auto token_of = [](const JsonField& pair) {
      const std::vector<JsonField> parts = pair.list();
      if (parts.empty()) pair.refuse("expected a token and its id");
      return parts.front().text();
    };
    ends = {token_of(field.at("cls")), token_of(field.at("sep"))};
  } else if (type == "TemplateProcessing") {
    const std::vector<JsonField> single = field.at("single").list();
    const auto token_of = [](const JsonField& item) {
      const JsonField token = item.get("SpecialToken");
      return token.is_null() ? std::string() : token.at("id").text();
    };
    if (!single.empty()) ends = {token_of(single.front()), token_of(single.back())};
  }
  return ends;
}

}  // namespace kvmend
