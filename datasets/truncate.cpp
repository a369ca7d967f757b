#include "datasets/truncate.h"

#include <algorithm>

#include "core/utf8.h"

namespace kvmend {
namespace {

/// Bytes [begin, end) that go.
struct Gap {
  std::size_t begin = 0, end = 0;
  /// Where a byte of the old text stands in the new one.
  std::size_t moved(std::size_t at) const { return at <= begin ? at : at < end ? begin : at - (end - begin); }
  ByteSpan moved(const ByteSpan& span) const { return {moved(span.begin), moved(span.end)}; }
  /// The part of it in [from, from + size), from there.
  Gap within(std::size_t from, std::size_t size) const {
    const auto inside = [&](std::size_t at) { return std::clamp(at, from, from + size) - from; };
    return {inside(begin), inside(end)};
  }
  void take_from(std::string& text) const { text.erase(begin, end - begin); }
};

void move_passages(std::vector<std::size_t>& passages, const Gap& gap) {
  std::vector<std::size_t> kept;
  bool cut = false;  // a document's end is left without its beginning
  for (const std::size_t start : passages) {
    if (start < gap.begin || start >= gap.end) {
      if (cut && start > gap.end) kept.push_back(gap.begin);
      cut = false;
      kept.push_back(gap.moved(start));
    } else {
      cut = true;
    }
  }
  if (cut) kept.push_back(gap.begin);
  passages = std::move(kept);
}

}  // namespace

void truncate_middle(TaskSample& sample, std::span<const ByteSpan> tokens, int budget) {
  const int n = static_cast<int>(tokens.size());
  if (n <= budget) return;
  const auto half = static_cast<std::size_t>(std::max(0, budget / 2));
  const std::string text = sample.prefix + sample.context + sample.query;
  Gap gap{half > 0 ? tokens[half - 1].end : 0, half > 0 ? tokens[tokens.size() - half].begin : text.size()};
  gap = {utf8::floor_boundary(text, gap.begin), utf8::ceil_boundary(text, gap.end)};
  const std::size_t prefix = sample.prefix.size(), context = sample.context.size();
  gap.within(0, prefix).take_from(sample.prefix);
  const Gap middle = gap.within(prefix, context);
  middle.take_from(sample.context);
  if (middle.end > middle.begin) move_passages(sample.passages, middle);
  std::vector<ByteSpan> evidence;
  for (const ByteSpan& span : sample.evidence) {
    const ByteSpan left = middle.moved(span);
    if (left.begin < left.end) evidence.push_back(left);
  }
  sample.evidence = std::move(evidence);
  const Gap tail = gap.within(prefix + context, sample.query.size());
  tail.take_from(sample.query);
  sample.question = tail.moved(sample.question);
}

}  // namespace kvmend
