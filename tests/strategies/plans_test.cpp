// What plans make the executor do, against plain loops: kept sets, write-back, tempers, order, decoding.
#include "recompute/arrange.h"
#include "support/cell_case.h"
#include "support/plain_model.h"
#include "support/plain_recompute.h"
#include "support/value_map.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

const RandomModel& model() {
  static const RandomModel files(12);
  return files;
}

Engine& engine() {
  static Engine shared(model(), {"cpu", DType::f32, 2});
  return shared;
}

std::vector<std::int32_t> tokens_at(const Request& request, const std::vector<int>& indices) {
  std::vector<std::int32_t> ids;
  for (const int i : indices) ids.push_back(request.context_ids[static_cast<std::size_t>(i)]);
  return ids;
}

double cosine(const Row& a, const Row& b) {
  double dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) dot += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
  return dot / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("samkv: the kept set, and a full prefill of it at its positions") {
  const PlainModel plain(model());
  const Request request = random_request({5, 22, 17, 26}, true, 8, 7);
  const int block = 4;
  const auto what = strategy("samkv", map({{"block", std::int64_t{block}}}));
  const auto cell = run_cell(engine(), request, what, 0.7);
  REQUIRE(cell.outcome.kept);
  const std::vector<int>& kept = *cell.outcome.kept;
  CHECK(kept.size() <= 49);
  CHECK(kept_fraction(cell.outcome, request.n_context()) == Approx(static_cast<double>(kept.size()) / 70));
  CHECK(kept_fraction(run_cell(engine(), request, strategy("epic"), 0.7).outcome, request.n_context()) == 1);

  // Which blocks, by the formulas again.
  const PlainKv cached = plain.reused(request, false);
  std::vector<int> always{0, 1, 2, 3, 4};
  std::vector<std::pair<int, int>> locals, middle;
  std::vector<std::size_t> chunk_of;
  for (std::size_t u = 1; u < request.units.size(); ++u) {
    const Unit& unit = request.units[u];
    std::vector<std::pair<int, int>> blocks;
    for (int b = unit.begin; b < unit.end; b += block) blocks.emplace_back(b, std::min(unit.end, b + block));
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (b == 0 || b + 1 == blocks.size()) {
        for (int i = blocks[b].first; i < blocks[b].second; ++i) always.push_back(i);
      } else {
        middle.push_back(blocks[b]);
        chunk_of.push_back(u - 1);
      }
    }
    locals.push_back(blocks.back());
  }
  const PlainRun query = plain_recompute(plain, request, cached, {}, {}, {}, always).run;
  std::vector<PlainRun> alone;
  for (std::size_t u = 1; u < request.units.size(); ++u) {
    const Unit& unit = request.units[u];
    alone.push_back(plain.run({request.context_ids.begin() + unit.begin, request.context_ids.begin() + unit.end},
                              PlainModel::counted(0, static_cast<std::size_t>(unit.size()))));
  }
  const auto mean = [](const Rows& rows, std::size_t begin, std::size_t end) {
    Row out(rows[0].size());
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t c = 0; c < out.size(); ++c) out[c] += rows[r][c] / static_cast<double>(end - begin);
    }
    return out;
  };
  std::vector<double> score(middle.size());
  for (std::size_t l = 0; l < 4; ++l) {
    const Row q_que = mean(query.q[l], 0, query.q[l].size());
    Rows q_loc;
    for (std::size_t j = 0; j < 3; ++j) {
      const int begin = request.units[j + 1].begin;
      q_loc.push_back(mean(alone[j].q[l], static_cast<std::size_t>(locals[j].first - begin),
                           static_cast<std::size_t>(locals[j].second - begin)));
    }
    for (std::size_t b = 0; b < middle.size(); ++b) {
      Row q = q_que;
      for (std::size_t j = 0; j < 3; ++j) {
        if (j == chunk_of[b]) continue;
        const double w = std::abs(cosine(q_que, q_loc[j])) / 2;
        for (std::size_t c = 0; c < q.size(); ++c) q[c] += w * q_loc[j][c];
      }
      const Row k =
          mean(cached.k[l], static_cast<std::size_t>(middle[b].first), static_cast<std::size_t>(middle[b].second));
      for (std::size_t h = 0; h < 6; ++h) {
        for (std::size_t i = 0; i < 16; ++i) score[b] += q[h * 16 + i] * k[h / 3 * 16 + i] / 4.0 / 6 / 4;
      }
    }
  }
  std::vector<std::size_t> order(middle.size());
  for (std::size_t b = 0; b < order.size(); ++b) order[b] = b;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  std::vector<int> expected = always;
  for (const std::size_t b : order) {
    if (static_cast<int>(expected.size()) + middle[b].second - middle[b].first > 49) break;
    for (int i = middle[b].first; i < middle[b].second; ++i) expected.push_back(i);
  }
  std::sort(expected.begin(), expected.end());
  CHECK(kept == expected);
  CHECK(cell.outcome.selected == std::vector<int>(kept.begin() + 5, kept.end()));

  // Overwrite: as if only the kept tokens had ever been there.
  std::vector<std::int32_t> ids = tokens_at(request, kept);
  ids.insert(ids.end(), request.query_ids.begin(), request.query_ids.end());
  std::vector<int> positions = kept;
  for (int i = 0; i < 8; ++i) positions.push_back(70 + i);
  CHECK(largest_difference(cell.logits, plain.run(ids, positions).logits) < 1e-3);

  // Fusion: θ·new + (1 − θ)·old, keys and values apart.
  const auto fused = run_cell(engine(), request,
                              strategy("samkv", map({{"block", std::int64_t{block}}, {"write_back", "fusion"}})), 0.7);
  CHECK(fused.outcome.kept == cell.outcome.kept);
  const auto blend = [&](const PlainRecompute& which, int layer, PlainKv&, PlainKv& own) {
    const auto l = static_cast<std::size_t>(layer);
    for (std::size_t r = 0; r < own.k[l].size(); ++r) {
      if (which.own[r] >= 70) continue;
      const auto at = static_cast<std::size_t>(which.own[r]);
      for (const auto& [fresh, old] : {std::pair{&own.k[l][r], &cached.k[l][at]}, {&own.v[l][r], &cached.v[l][at]}}) {
        const double theta = std::max(0.0, cosine(*fresh, *old));
        for (std::size_t c = 0; c < fresh->size(); ++c) (*fresh)[c] = theta * (*fresh)[c] + (1 - theta) * (*old)[c];
      }
    }
  };
  const auto plain_fused = plain_recompute(plain, request, cached, fused.outcome.selected, {}, blend, kept);
  CHECK(largest_difference(fused.logits, plain_fused.run.logits) < 1e-3);
  CHECK(largest_difference(fused.logits, cell.logits) > 0.01);
}

TEST_CASE("infoflow_reorder: the order, indices in both orders, and full prefill of the reordered prompt") {
  const PlainModel plain(model());
  Request request = random_request({6, 19, 12, 15, 30}, true, 9, 8);
  request.question_ids = {4, 8, 15};
  const auto cell = run_cell(engine(), request, strategy("infoflow_reorder"), 0.3);
  REQUIRE(cell.outcome.order);
  const auto& order = *cell.outcome.order;
  const auto score = [&](const Request& r, bool global) {
    const PlainRun run =
        plain.run(r.question_ids, PlainModel::counted(r.n_context(), 3), plain.reused(r, true, global));
    Row out(static_cast<std::size_t>(r.n_context()));
    for (std::size_t j = 0; j < out.size(); ++j) {
      double sum = 0;
      for (std::size_t row = 0; row < 3; ++row) {
        double m = 0;
        for (std::size_t h = 0; h < 6; ++h) m += run.p[2][h][row][j] / 6;
        sum += m * m;
      }
      out[j] = std::sqrt(sum);
    }
    return out;
  };
  const auto top = [&](const Row& scores) {  // all but the prefix
    std::vector<int> index;
    for (int i = 6; i < static_cast<int>(scores.size()); ++i) index.push_back(i);
    std::stable_sort(index.begin(), index.end(), [&](int a, int b) {
      return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    index.resize(24);  // ⌊0.3 · 82⌋
    std::sort(index.begin(), index.end());
    return index;
  };
  const auto first = top(score(request, false));
  std::vector<std::pair<double, int>> shares;
  for (int c = 0; c < 4; ++c) {
    const Unit& unit = request.units[static_cast<std::size_t>(c) + 1];
    const auto inside =
        std::count_if(first.begin(), first.end(), [&](int i) { return i >= unit.begin && i < unit.end; });
    shares.emplace_back(static_cast<double>(inside) / unit.size(), c);
  }
  std::stable_sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<int> expected;
  for (const auto& share : shares) expected.push_back(share.second);
  CHECK(order == expected);

  std::vector<int> units{0};
  for (const int chunk : order) units.push_back(chunk + 1);
  const Request reordered = arrange(request, units);
  CHECK(cell.outcome.selected == top(score(reordered, true)));
  std::vector<int> back;
  const auto from = original_indices(request.units, units);
  for (const int i : cell.outcome.selected) back.push_back(from[static_cast<std::size_t>(i)]);
  std::sort(back.begin(), back.end());
  CHECK(cell.outcome.selected_original == back);

  const auto recomputed = plain_recompute(plain, reordered, plain.reused(reordered, true), cell.outcome.selected);
  CHECK(largest_difference(cell.logits, recomputed.run.logits) < 1e-3);
  // A full prefill of the reordered prompt is what every row recomputed gives.
  std::vector<int> all;
  for (int i = 0; i < 82; ++i) all.push_back(i);
  const auto everything = plain_recompute(plain, reordered, plain.reused(reordered, true), all);
  CHECK(largest_difference(run_cell(engine(), reordered, strategy("full"), 1).logits, everything.run.logits) < 1e-3);
}

TEST_CASE("kvshare recomputes while decoding what decoding attended to") {
  const PlainModel plain(model());
  const Request request = random_request({6, 19, 12, 15}, true, 9, 9);
  const auto what = strategy("kvshare", map({{"decode_interval", std::int64_t{2}}, {"decode_k", std::int64_t{5}}}));
  const Outcome found = answer(engine(), request, what, 0.2, 7);
  CHECK(found.decode_selected.size() == 10);  // before the 4th and the 6th token
  CHECK(found.decode_flops > 0);

  PlainKv context = plain.reused(request, false);
  const auto put = [&](const PlainRecompute& from) {
    for (std::size_t r = 0; r < from.own.size() && from.own[r] < 52; ++r) {
      for (std::size_t l = 0; l < 4; ++l) {
        context.k[l][static_cast<std::size_t>(from.own[r])] = from.run.kv.k[l][r];
        context.v[l][static_cast<std::size_t>(from.own[r])] = from.run.kv.v[l][r];
      }
    }
  };
  std::vector<int> done = found.selected;
  PlainRecompute run = plain_recompute(plain, request, context, done);
  put(run);
  PlainKv behind = PlainModel::part(run.run.kv, done.size(), done.size() + 9);
  std::vector<std::int32_t> expected{best_of(run.run.logits)};
  Row attention(52);
  std::vector<int> late;
  for (int step = 1; expected.size() < 7; ++step) {
    PlainKv all = context;
    PlainModel::append(all, behind);
    const PlainRun token = plain.run({expected.back()}, {61 + step - 1}, all);
    PlainModel::append(behind, token.kv);
    expected.push_back(best_of(token.logits));
    for (std::size_t j = 0; j < 52; ++j) {
      attention[j] *= 0.9;
      for (std::size_t l = 0; l < 4; ++l) {
        for (std::size_t h = 0; h < 6; ++h) attention[j] += token.p[l][h][0][j];
      }
    }
    if (step % 2 != 0 || expected.size() == 7) continue;
    std::vector<int> candidates;
    for (int i = 6; i < 52; ++i) {
      if (std::find(done.begin(), done.end(), i) == done.end()) candidates.push_back(i);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [&](int a, int b) {
      return attention[static_cast<std::size_t>(a)] > attention[static_cast<std::size_t>(b)];
    });
    candidates.resize(5);
    std::sort(candidates.begin(), candidates.end());
    Request rows = request;
    rows.query_ids.clear();
    put(plain_recompute(plain, rows, context, candidates));
    done.insert(done.end(), candidates.begin(), candidates.end());
    late.insert(late.end(), candidates.begin(), candidates.end());
  }
  std::sort(late.begin(), late.end());
  CHECK(found.prediction_ids == expected);
  CHECK(found.decode_selected == late);
  CHECK(answer(engine(), request, what, 0, 7).decode_selected.empty());
}
