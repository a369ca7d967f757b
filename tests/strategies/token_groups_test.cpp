// Windows of scored tokens, and two tokenisations of one text.
#include "strategies/token_groups.h"

#include "catch.h"

using namespace kvmend;

TEST_CASE("windows: dense ones are taken whole, isolated candidates dropped, chunks end them") {
  TokenGroups groups;
  groups.request.units = {
      {UnitKind::prefix, 0, 4}, {UnitKind::chunk, 4, 24}, {UnitKind::chunk, 24, 34}, {UnitKind::chunk, 34, 36}};
  groups.request.context_ids.resize(36);
  groups.scores.assign(36, 0);
  groups.last.assign(36, 0);
  for (const int i : {5, 6, 8, 9, 11, 20, 30, 31, 32, 33, 2}) groups.scores[static_cast<std::size_t>(i)] = 1;
  // 32 chunk tokens at 10/32: exactly the ten marked ones of the chunks; token 2 is the prefix's.
  const auto found = groups.dense_windows(10.0 / 32, 8, 5);
  CHECK(found == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12});  // [5, 13) holds five; [30, 34) only four; 20 is alone
  CHECK(groups.dense_windows(10.0 / 32, 8, 4) == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12, 13, 30, 31, 32, 33});
  CHECK(groups.dense_windows(1, 8, 5).size() == 32);  // a chunk shorter than the density needs all it has
  CHECK(groups.dense_windows(0, 8, 5).empty());
  groups.last[30] = groups.last[31] = groups.last[32] = groups.last[33] = 1;
  CHECK(groups.dense_windows(6.0 / 32, 8, 5) == std::vector<int>{5, 6, 7, 8, 9, 10, 11, 12});
  const auto windows = groups.windows_by_score(8);
  CHECK(windows.size() == 32);
  CHECK(windows.front() == std::vector<int>{4, 5, 6, 7, 8, 9, 10, 11});  // five; ties by index
}

TEST_CASE("tokens of two tokenisations meet by bytes") {
  Request a, b;
  a.context_ids = {0, 0, 0};
  a.token_begin = {0, 4, 7};
  a.token_end = {4, 7, 9};
  b.context_ids = {0, 0, 0, 0};
  b.token_begin = {0, 2, 5, 7};
  b.token_end = {2, 5, 7, 9};
  CHECK(overlapping_tokens(a, {0}, b) == std::vector<int>{0, 1});
  CHECK(overlapping_tokens(a, {1}, b) == std::vector<int>{1, 2});
  CHECK(overlapping_tokens(a, {0, 1}, b) == std::vector<int>{0, 1, 2});
  CHECK(overlapping_scores(a, {1, 3, 2}, b) == std::vector<float>{1, 3, 3, 2});
}
