#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer/merges.h"

namespace kvmend {

/// A token of a piece and how many bytes of the piece it stands for. The tokens of a piece cover it, if any.
struct BpeToken {
  std::int32_t id = 0;
  std::uint32_t bytes = 0;
};

/// What one thread keeps between pieces: buffers, and the tokens of short pieces seen before.
class BpeScratch {
 public:
  BpeScratch() : slots_(slot_count) {}
  /// Heap operations of the last long piece: what the test of linearity counts.
  std::size_t heap_operations = 0;

 private:
  friend class Bpe;
  static constexpr std::size_t slot_count = std::size_t{1} << 15;
  static constexpr std::size_t max_key = 27, max_tokens = 7;
  struct alignas(64) Slot {  // one cache line
    std::uint8_t size = 0, count = 0;
    std::array<char, max_key> key{};
    std::array<std::uint8_t, max_tokens> bytes{};
    std::array<std::int32_t, max_tokens> ids{};
  };
  struct Link {
    std::uint32_t next = 0, previous = 0;
  };
  struct Candidate {
    std::uint32_t rank = 0, left = 0;
    std::int32_t left_id = 0, right_id = 0, id = 0;
  };
  std::vector<Slot> slots_;
  std::vector<BpeToken> symbols_;
  std::vector<Link> links_;
  std::vector<Candidate> heap_;
};

/// Byte-pair encoding of one piece. Set up by the loaders, then constant.
class Bpe {
 public:
  std::array<std::int32_t, 256>
      byte_ids;  ///< byte level: the token of each byte; else byte fallback's <0x00> …; −1: none
  bool byte_level = false;
  bool byte_fallback = false;
  bool ignore_merges = false;  ///< a piece that is a token is that token, whatever the merges would make of it
  bool fuse_unknown = false;
  std::int32_t unknown = -1;
  MergeTable merges;
  std::unordered_map<char32_t, std::int32_t> characters;  ///< not byte level: tokens of one code point
  std::unordered_map<std::string, std::int32_t> whole;    ///< ignore_merges: tokens by their bytes

  Bpe() { byte_ids.fill(-1); }
  /// Finds out where pieces may be cut before encoding without a change of result. `text_of(id)` gives a token's text.
  template <class TextOf>
  void find_cuts(TextOf text_of);

  /// Appends the tokens of `piece` (valid UTF-8).
  void encode(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const;

 private:
  void encode_uncut(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const;
  void encode_now(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const;
  void start_bytes(std::string_view piece, std::vector<BpeToken>& symbols) const;
  void start_characters(std::string_view piece, std::vector<BpeToken>& symbols) const;
  void add_unknown(std::uint32_t bytes, bool& open_unknown, std::vector<BpeToken>& symbols) const;
  void merge_short(BpeScratch& scratch, std::vector<BpeToken>& out) const;
  void merge_long(BpeScratch& scratch, std::vector<BpeToken>& out) const;
  static bool joins_before_mark(std::string_view token);

  bool cut_at_marks_ = false;
};

template <class TextOf>
void Bpe::find_cuts(TextOf text_of) {
  bool safe = !byte_level && !ignore_merges && characters.contains(U'\u2581');
  merges.for_each([&](std::int32_t, std::int32_t, MergeTable::Merge merge) {
    if (safe && joins_before_mark(text_of(merge.id))) safe = false;
  });
  cut_at_marks_ = safe;
}

}  // namespace kvmend
