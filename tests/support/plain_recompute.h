#pragma once
// Selective recompute in plain loops: selected context rows and the query run over the cached rows that stay.
#include "support/difference.h"
#include "support/plain_model.h"

namespace kvmend::test {

struct PlainRecompute {
  PlainRun run;              ///< own rows: selected context tokens, then the query
  std::vector<int> context;  ///< sequence index of each context entry that was reused
  std::vector<int> own;      ///< and of each own row
  int index(std::size_t key) const { return key < context.size() ? context[key] : own[key - context.size()]; }
};

/// `cached`: the whole context. `kept`: context tokens that exist at all. `logit(query row?, key index, logit)`.
inline PlainRecompute plain_recompute(
    const PlainModel& plain, const Request& request, const PlainKv& cached, const std::vector<int>& selected,
    const std::function<double(bool, int, double)>& logit = {},
    const std::function<void(const PlainRecompute&, int, PlainKv&, PlainKv&)>& write_back = {},
    const std::vector<int>& kept = {}, int query_position = -1) {
  const int n = request.n_context();
  PlainRecompute out;
  out.own = selected;
  PlainKv context;
  std::vector<std::int32_t> ids;
  std::vector<int> positions;
  for (const int i : selected) {
    ids.push_back(request.context_ids[static_cast<std::size_t>(i)]);
    positions.push_back(cached.positions[static_cast<std::size_t>(i)]);
  }
  for (int i = 0; i < n; ++i) {
    const bool is_kept = kept.empty() || std::find(kept.begin(), kept.end(), i) != kept.end();
    if (!is_kept || std::find(selected.begin(), selected.end(), i) != selected.end()) continue;
    PlainModel::append(context, PlainModel::part(cached, static_cast<std::size_t>(i), static_cast<std::size_t>(i) + 1));
    out.context.push_back(i);
  }
  for (int i = 0; i < request.n_query(); ++i) {
    ids.push_back(request.query_ids[static_cast<std::size_t>(i)]);
    positions.push_back((query_position < 0 ? n : query_position) + i);
    out.own.push_back(n + i);
  }
  PlainModel::Change change;
  change.sees = [&](std::size_t row, std::size_t key) { return out.index(key) <= out.own[row]; };
  if (logit) {
    change.logit = [&](std::size_t row, std::size_t key, double l) {
      return logit(out.own[row] >= n, out.index(key), l);
    };
  }
  if (write_back) {
    change.write_back = [&](int layer, PlainKv& from, PlainKv& own) { write_back(out, layer, from, own); };
  }
  out.run = plain.run(ids, positions, context, change);
  return out;
}

inline std::int32_t best_of(const Row& logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace kvmend::test
