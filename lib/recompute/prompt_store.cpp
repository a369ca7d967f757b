#include "recompute/prompt_store.h"

#include <algorithm>
#include <numeric>

#include "recompute/sentence_encoder.h"

namespace kvmend {
namespace {

int shared_prefix(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  return static_cast<int>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// The last token runs in any case: its logits are what the prompt is for.
int reusable(int shared, const std::vector<std::int32_t>& tokens) {
  return std::min(shared, static_cast<int>(tokens.size()) - 1);
}

}  // namespace

StoredMatch PromptStore::nearest(const std::vector<std::int32_t>& tokens, const std::vector<float>& embedding,
                                 int neighbours) const {
  StoredMatch match;
  std::vector<double> similarity;
  for (const Entry& entry : entries_) similarity.push_back(cosine(entry.embedding, embedding));
  std::vector<int> order(entries_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto tried = std::min(order.size(), static_cast<std::size_t>(neighbours));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(tried), order.end(), [&](int a, int b) {
    const double left = similarity[static_cast<std::size_t>(a)], right = similarity[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  if (order.empty()) return match;
  match.nearest = order.front();
  match.similarity = similarity[static_cast<std::size_t>(match.nearest)];
  for (std::size_t i = 0; i < tried; ++i) {
    const Entry& candidate = entry(order[i]);
    const int shared = shared_prefix(candidate.tokens, tokens);
    if (shared < static_cast<int>(candidate.tokens.size()) || reusable(shared, tokens) < 1) continue;
    match.used = order[i];
    match.depth = reusable(shared, tokens);
    break;
  }
  return match;
}

StoredMatch PromptStore::longest_prefix(const std::vector<std::int32_t>& tokens) const {
  StoredMatch match;
  for (int i = 0; i < size(); ++i) {
    const int depth = reusable(shared_prefix(entry(i).tokens, tokens), tokens);
    if (depth <= match.depth) continue;
    match.nearest = match.used = i;
    match.depth = depth;
  }
  return match;
}

std::shared_ptr<const ChunkCache> leading_rows(const ChunkCache& cache, int tokens) {
  auto out = std::make_shared<ChunkCache>();
  out->tokens = tokens;
  for (const LayerKv& layer : cache.layers) {
    out->layers.push_back({layer.k.row_range(0, tokens), layer.v.row_range(0, tokens)});
  }
  return out;
}

}  // namespace kvmend
