#include "model/tokenizer/bpe.h"

#include <algorithm>
#include <cstring>

#include "core/hash.h"
#include "core/utf8.h"
#include "model/tokenizer/word_mark.h"

namespace kvmend {
namespace {

/// Up to this many symbols a scan over all pairs per merge is faster than a heap.
constexpr std::size_t short_piece = 48;

}  // namespace

/// True if the token joins something with a word mark behind it, as in "a▁b".
bool Bpe::joins_before_mark(std::string_view token) {
  for (std::size_t at = token.find(word_mark, 1); at != std::string_view::npos; at = token.find(word_mark, at + 1)) {
    if (!token.substr(0, at).ends_with(word_mark)) return true;
  }
  return false;
}

void Bpe::encode(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const {
  scratch.heap_operations = 0;
  std::size_t begin = 0;
  if (cut_at_marks_) {
    // No merge reaches over a place where a word mark follows something else, so words can be encoded (and
    // remembered) one by one though the published pipeline has the whole text as one piece.
    for (std::size_t mark = piece.find(word_mark); mark != std::string_view::npos;
         mark = piece.find(word_mark, mark + word_mark.size())) {
      if (mark == begin || piece.substr(0, mark).ends_with(word_mark)) continue;
      encode_uncut(piece.substr(begin, mark - begin), scratch, out);
      begin = mark;
    }
  }
  if (begin < piece.size()) encode_uncut(piece.substr(begin), scratch, out);
}

void Bpe::encode_uncut(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const {
  if (piece.size() > BpeScratch::max_key) return encode_now(piece, scratch, out);
  BpeScratch::Slot& slot = scratch.slots_[fast_hash(piece.data(), piece.size()) & (BpeScratch::slot_count - 1)];
  if (slot.size == piece.size() && std::memcmp(slot.key.data(), piece.data(), piece.size()) == 0) {
    for (std::size_t i = 0; i < slot.count; ++i) out.push_back({slot.ids[i], slot.bytes[i]});
    return;
  }
  const std::size_t first = out.size();
  encode_now(piece, scratch, out);
  const std::size_t count = out.size() - first;
  if (count > BpeScratch::max_tokens) return;
  slot.size = static_cast<std::uint8_t>(piece.size());
  slot.count = static_cast<std::uint8_t>(count);
  std::memcpy(slot.key.data(), piece.data(), piece.size());
  for (std::size_t i = 0; i < count; ++i) {
    slot.ids[i] = out[first + i].id;
    slot.bytes[i] = static_cast<std::uint8_t>(out[first + i].bytes);
  }
}

void Bpe::encode_now(std::string_view piece, BpeScratch& scratch, std::vector<BpeToken>& out) const {
  if (ignore_merges) {
    const auto found = whole.find(std::string(piece));
    if (found != whole.end()) {
      out.push_back({found->second, static_cast<std::uint32_t>(piece.size())});
      return;
    }
  }
  scratch.symbols_.clear();
  if (byte_level) {
    start_bytes(piece, scratch.symbols_);
  } else {
    start_characters(piece, scratch.symbols_);
  }
  if (scratch.symbols_.size() <= short_piece) {
    merge_short(scratch, out);
  } else {
    merge_long(scratch, out);
  }
}

void Bpe::start_bytes(std::string_view piece, std::vector<BpeToken>& symbols) const {
  bool open_unknown = false;
  for (const char c : piece) {
    const std::int32_t id = byte_ids[static_cast<unsigned char>(c)];
    if (id >= 0) {
      symbols.push_back({id, 1});
      open_unknown = false;
    } else {
      add_unknown(1, open_unknown, symbols);
    }
  }
}

void Bpe::start_characters(std::string_view piece, std::vector<BpeToken>& symbols) const {
  bool open_unknown = false;
  for (std::size_t at = 0; at < piece.size();) {
    const utf8::Decoded c = utf8::decode_valid(piece, at);
    const auto bytes = piece.substr(at, c.length);
    at += c.length;
    if (const auto found = characters.find(c.code_point); found != characters.end()) {
      symbols.push_back({found->second, c.length});
      open_unknown = false;
      continue;
    }
    const auto id_of = [&](char byte) { return byte_ids[static_cast<unsigned char>(byte)]; };
    if (byte_fallback && std::all_of(bytes.begin(), bytes.end(), [&](char b) { return id_of(b) >= 0; })) {
      for (const char b : bytes) symbols.push_back({id_of(b), 1});
      open_unknown = false;
    } else {
      add_unknown(c.length, open_unknown, symbols);
    }
  }
}

/// What has no token becomes the unknown token, or, without one, vanishes: then its bytes go to the symbol before it.
void Bpe::add_unknown(std::uint32_t bytes, bool& open_unknown, std::vector<BpeToken>& symbols) const {
  const bool joins = unknown < 0 ? !symbols.empty() : open_unknown && fuse_unknown;
  if (joins) {
    symbols.back().bytes += bytes;
  } else if (unknown >= 0) {
    symbols.push_back({unknown, bytes});
  }
  open_unknown = unknown >= 0;
}

void Bpe::merge_short(BpeScratch& scratch, std::vector<BpeToken>& out) const {
  std::vector<BpeToken>& symbols = scratch.symbols_;
  std::size_t count = symbols.size();
  std::array<MergeTable::Merge, short_piece> pairs;  // pairs[i]: of symbols i and i + 1
  for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = merges.find(symbols[i].id, symbols[i + 1].id);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i].rank < pairs[best].rank) best = i;
    }
    if (pairs[best].rank == MergeTable::none) break;
    symbols[best] = {pairs[best].id, symbols[best].bytes + symbols[best + 1].bytes};
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      symbols[i] = symbols[i + 1];
      pairs[i - 1] = pairs[i];
    }
    if (best > 0) pairs[best - 1] = merges.find(symbols[best - 1].id, symbols[best].id);
    if (best + 1 < count) pairs[best] = merges.find(symbols[best].id, symbols[best + 1].id);
  }
  out.insert(out.end(), symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
}

void Bpe::merge_long(BpeScratch& scratch, std::vector<BpeToken>& out) const {
  using Candidate = BpeScratch::Candidate;
  std::vector<BpeToken>& symbols = scratch.symbols_;
  auto& links = scratch.links_;
  auto& heap = scratch.heap_;
  const auto count = static_cast<std::uint32_t>(symbols.size());
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
  };
  const auto candidate = [&](std::uint32_t left, std::uint32_t right) {
    const MergeTable::Merge merge = merges.find(symbols[left].id, symbols[right].id);
    if (merge.rank == MergeTable::none) return;
    heap.push_back({merge.rank, left, symbols[left].id, symbols[right].id, merge.id});
  };
  heap.clear();
  links.resize(count);
  for (std::uint32_t i = 0; i < count; ++i) links[i] = {i + 1, i - 1};
  for (std::uint32_t i = 0; i + 1 < count; ++i) candidate(i, i + 1);
  std::make_heap(heap.begin(), heap.end(), later);
  const auto push = [&](std::uint32_t left, std::uint32_t right) {
    const std::size_t before = heap.size();
    candidate(left, right);
    if (heap.size() > before) std::push_heap(heap.begin(), heap.end(), later);
  };
  scratch.heap_operations += heap.size();
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Candidate top = heap.back();
    heap.pop_back();
    ++scratch.heap_operations;
    const std::uint32_t left = top.left;
    const std::uint32_t right = links[left].next;
    // A symbol that another merge took has no bytes; one that grew has another id: the candidate is out of date.
    if (right >= count || symbols[left].bytes == 0 || symbols[left].id != top.left_id ||
        symbols[right].id != top.right_id)
      continue;
    symbols[left] = {top.id, symbols[left].bytes + symbols[right].bytes};
    symbols[right].bytes = 0;
    links[left].next = links[right].next;
    if (links[right].next < count) links[links[right].next].previous = left;
    if (left > 0) push(links[left].previous, left);
    if (links[left].next < count) push(left, links[left].next);
  }
  for (std::uint32_t i = 0; i < count; i = links[i].next) out.push_back(symbols[i]);
}

}  // namespace kvmend
