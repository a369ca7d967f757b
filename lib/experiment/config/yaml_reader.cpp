#include "experiment/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "experiment/config/yaml_scalar.h"
#include "experiment/config/yaml_text.h"

namespace kvmend {
namespace {

std::size_t count_nodes(const Value& value) {
  std::size_t n = 1;
  if (value.is_list()) {
    for (const auto& item : value.as_list()) n += count_nodes(item);
  } else if (value.is_map()) {
    for (const auto& entry : value.as_map()) n += count_nodes(entry.value);
  }
  return n;
}

/// Builds a Value from the parser's events.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const YamlText& text, const YamlLimits& limits) : text_(text), limits_(limits) {}

  Value take_root() {
    if (!deferred_.empty()) throw Error(ErrorKind::usage, deferred_);
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) {
      text_.fail_at(mark,
                    "expected the end of the file: one YAML document a file (is the indentation above as meant?)");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, Value()); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) text_.fail_at(mark, "an alias cannot stand inside what it names");
    add(mark, 0, found->second.value, found->second.nodes);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    const bool plain = tag == "?";
    if (!plain) text_.check_closed_quote(mark);
    add(mark, anchor, plain ? plain_scalar(value, text_.where(mark)) : Value(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, anchor, Value(Value::List{}));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    open(mark, anchor, Value(Value::Map{}));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Value container;
    YAML::Mark mark;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Location key_where;
    std::unordered_set<std::string> keys;
  };
  struct Anchored {
    Value value;
    std::size_t nodes;
  };

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    text_.fail_at(mark, fmt::format("the tag {} is not understood; only !!str is", tag));
  }

  /// An error that stands only if the parser finds none: it takes the last item before a missing bracket for a key.
  void defer(const YAML::Mark& mark, const std::string& message) {
    if (deferred_.empty()) deferred_ = text_.where(mark).prefix() + message;
  }

  bool wants_key() const { return !frames_.empty() && frames_.back().container.is_map() && !frames_.back().has_key; }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Value container) {
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      text_.fail_at(mark, fmt::format("nested deeper than {} levels", limits_.depth));
    }
    container.where = text_.where(mark);
    frames_.push_back({std::move(container), mark, anchor, false, {}, {}, {}});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(frame.mark, frame.anchor, std::move(frame.container));
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Value value, std::size_t nodes = 1) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes)
      text_.fail_at(mark, fmt::format("more than {} values (aliases counted in full)", limits_.nodes));
    value.where = text_.where(mark);
    if (anchor != 0) anchors_[anchor] = {value, count_nodes(value)};
    if (frames_.empty()) {
      root_ = std::move(value);
    } else if (wants_key()) {
      take_key(mark, value);
    } else if (Frame& frame = frames_.back(); frame.container.is_map()) {
      frame.container.map().push_back({std::move(frame.key), frame.key_where, std::move(value)});
      frame.has_key = false;
    } else {
      frame.container.list().push_back(std::move(value));
    }
  }

  void take_key(const YAML::Mark& mark, const Value& key) {
    if (!key.is_string()) {
      defer(mark, key.is_null() ? std::string("a key must be a string, found nothing")
                                : fmt::format("a key must be a string, found {} ({}): write \"{}\"", key.type_name(),
                                              key.flow(), key.flow()));
      frames_.back().has_key = true;
      return;
    }
    Frame& frame = frames_.back();
    if (!frame.keys.insert(key.as_string()).second) {
      for (const auto& entry : frame.container.as_map()) {
        if (entry.key == key.as_string()) {
          text_.fail_at(mark,
                        fmt::format("duplicate key '{}': it stands at line {} already", entry.key, entry.where.line));
        }
      }
    }
    frame.key = key.as_string();
    frame.key_where = text_.where(mark);
    frame.has_key = true;
  }

  const YamlText& text_;
  const YamlLimits& limits_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
  Value root_;
  std::string deferred_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

/// The parser's terse messages in words that say what to look for.
std::string in_plain_words(const std::string& message) {
  if (message == "illegal map value") return "':' is not expected here; quote the text, or check the indentation";
  if (message == "end of map not found" || message == "end of sequence not found") {
    return "unexpected text; check the indentation, or quote it";
  }
  if (message == "end of sequence flow not found") return "a ']' or ',' is missing before this place";
  if (message == "end of map flow not found") return "a '}' or ',' is missing before this place";
  if (message == "illegal flow end") return "a closing bracket without its opening one";
  if (message == "unknown token") return "this character cannot begin a value; quote the text";
  if (message == "bad file") return "nested too deeply";
  return message;
}

}  // namespace

Value read_yaml(std::string_view content, const std::string& name, const YamlLimits& limits) {
  const YamlText text(content, name);
  if (content.size() > limits.bytes)
    fail(ErrorKind::usage, "{}: larger than {} bytes, too large for a config", name, limits.bytes);
  text.check_bytes();
  std::istringstream stream{std::string(text.content())};
  Builder builder(text, limits);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::ParserException& error) {
    text.fail_at(error.mark, in_plain_words(error.msg));
  }
  return builder.take_root();
}

Value read_yaml_file(const std::filesystem::path& path) {
  std::string content;
  try {
    content = read_file(path);
  } catch (const Error& error) {  // a config that is missing is the caller's slip, not bad data
    throw Error(ErrorKind::usage, error.what());
  }
  return read_yaml(content, path.string());
}

}  // namespace kvmend
