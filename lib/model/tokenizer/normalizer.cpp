#include "model/tokenizer/normalizer.h"

#include <fmt/format.h>

#include "core/utf8.h"

namespace kvmend {
namespace {

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  AlignedText apply(AlignedText text) const override {
    if (text.text.empty()) return text;
    AlignedEdit edit(text);
    edit.insert(prefix_);
    return edit.finish();
  }
  std::string describe() const override { return fmt::format("prepend({:?})", prefix_); }

 private:
  std::string prefix_;
};

class Replace final : public Normalizer {
 public:
  Replace(Pattern pattern, std::string description, std::string content)
      : pattern_(std::move(pattern)), description_(std::move(description)), content_(std::move(content)) {}

  AlignedText apply(AlignedText text) const override {
    Pattern::Matcher matcher(pattern_);
    AlignedEdit edit(text);
    TextRange match;
    std::size_t from = 0;
    bool any = false;
    while (from <= text.text.size() && matcher.find(text.text, from, match)) {
      any = true;
      edit.keep_to(match.begin);
      edit.replace_to(match.end, content_);
      from = match.end > match.begin ? match.end : utf8::ceil_boundary(text.text, match.end + 1);
    }
    return any ? edit.finish() : std::move(text);
  }
  std::string describe() const override { return fmt::format("replace({},{:?})", description_, content_); }

 private:
  Pattern pattern_;
  std::string description_, content_;
};

class Sequence final : public Normalizer {
 public:
  explicit Sequence(std::vector<NormalizerPtr> steps) : steps_(std::move(steps)) {}

  AlignedText apply(AlignedText text) const override {
    for (const auto& step : steps_) text = step->apply(std::move(text));
    return text;
  }
  std::string describe() const override {
    std::string all;
    for (const auto& step : steps_) all += step->describe() + ";";
    return all;
  }

 private:
  std::vector<NormalizerPtr> steps_;
};

}  // namespace

NormalizerPtr make_prepend(std::string prefix) { return std::make_unique<Prepend>(std::move(prefix)); }

NormalizerPtr make_replace(Pattern pattern, std::string description, std::string content) {
  return std::make_unique<Replace>(std::move(pattern), std::move(description), std::move(content));
}

NormalizerPtr make_sequence(std::vector<NormalizerPtr> steps) { return std::make_unique<Sequence>(std::move(steps)); }

}  // namespace kvmend
