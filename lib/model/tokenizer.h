#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/model_files.h"

namespace kvmend {

/// A token and the bytes of the *input* text it came from. Spans of one text are in order, do not overlap and cover
/// every byte (where normalisation removes or reorders bytes, they belong to the nearest token made from them).
/// Several tokens of one character (byte-level BPE splits characters) have the exact bytes each stands for.
struct Token {
  std::int32_t id = 0;
  std::uint32_t begin = 0, end = 0;
};

struct EncodeOptions {
  bool special = true;   ///< special tokens written in the text become their ids; false: plain text
  bool add_bos = false;  ///< prepend BOS where the tokenizer's own convention adds one
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Invalid UTF-8: each offending byte is read as U+FFFD, as the published pipeline's strings would hold it; the
  /// span still names the original byte.
  virtual std::vector<Token> encode(std::string_view text, EncodeOptions options = {}) const = 0;
  /// Bytes of the tokens joined; may be invalid UTF-8 when a character is cut. Unknown ids throw Error(usage).
  virtual std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const = 0;
  virtual int vocab_size() const = 0;
  virtual int bos() const = 0;  ///< −1: none
  virtual int eos() const = 0;
  /// Tokens that end a generated answer: eos, end of turn, and what the model's files add.
  virtual const std::vector<int>& stops() const = 0;
  virtual bool is_special(int id) const = 0;
  /// SHA-256 of everything that decides ids: part of cell keys.
  virtual std::string fingerprint() const = 0;

  /// Ids only.
  std::vector<std::int32_t> ids(std::string_view text, EncodeOptions options = {}) const;
};

/// Throws Error(data) for a pre-tokeniser or model kind we do not know, naming those we do.
std::unique_ptr<Tokenizer> make_tokenizer(const ModelFiles& files);
std::unique_ptr<Tokenizer> make_tokenizer(const TokenizerSource& source, const std::vector<int>& extra_stops = {});

}  // namespace kvmend
