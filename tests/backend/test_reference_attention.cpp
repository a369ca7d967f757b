// The definition of attention against double loops that share no code with it.
#include <limits>
#include <numeric>

#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

struct Problem {
  int rows, heads, kv_heads, head_dim, n_base, n_overlay, n_keys;
  std::vector<float> q, base_k, base_v, overlay_k, overlay_v;
  std::vector<std::int32_t> slots;
  std::vector<Visibility::Interval> intervals;
  float scale;

  Problem(int rows_, int heads_, int kv_heads_, int head_dim_, int n_base_, int n_overlay_, int n_keys_)
      : rows(rows_),
        heads(heads_),
        kv_heads(kv_heads_),
        head_dim(head_dim_),
        n_base(n_base_),
        n_overlay(n_overlay_),
        n_keys(n_keys_),
        scale(1 / std::sqrt(static_cast<float>(head_dim_))) {
    const int kv = kv_heads * head_dim;
    q = random_values(rows * heads * head_dim, 1);
    base_k = random_values(n_base * kv, 2), base_v = random_values(n_base * kv, 3);
    overlay_k = random_values(n_overlay * kv, 4), overlay_v = random_values(n_overlay * kv, 5);
    std::mt19937 generator(6);
    for (int i = 0; i < n_keys; ++i)
      slots.push_back(std::uniform_int_distribution<std::int32_t>(-n_overlay, n_base - 1)(generator));
    for (int r = 0; r < rows; ++r) {
      std::int32_t a = std::uniform_int_distribution<std::int32_t>(0, n_keys)(generator);
      std::int32_t b = std::uniform_int_distribution<std::int32_t>(0, n_keys)(generator);
      intervals.push_back({std::min(a, b), std::max(a, b)});
    }
    if (rows > 1) intervals[1] = {0, 0};  // sees nothing
    if (rows > 2) intervals[2] = {0, n_keys};
  }
  double key(int i, int kv_head, int c) const { return at(base_k, overlay_k, i, kv_head, c); }
  double value(int i, int kv_head, int c) const { return at(base_v, overlay_v, i, kv_head, c); }

 private:
  double at(const std::vector<float>& base, const std::vector<float>& overlay, int i, int kv_head, int c) const {
    const std::int32_t s = slots[static_cast<std::size_t>(i)];
    const auto offset = static_cast<std::size_t>((s >= 0 ? s : -s - 1) * kv_heads * head_dim + kv_head * head_dim + c);
    return s >= 0 ? base[offset] : overlay[offset];
  }
};

/// Logits of one row and head over its interval, tempered.
std::vector<double> logits(const Problem& p, int r, int h, const std::optional<Temper>& temper) {
  const auto [begin, end] = p.intervals[static_cast<std::size_t>(r)];
  std::vector<double> l;
  for (int i = begin; i < end; ++i) {
    double dot = 0;
    for (int c = 0; c < p.head_dim; ++c)
      dot += static_cast<double>(p.q[static_cast<std::size_t>((r * p.heads + h) * p.head_dim + c)]) *
             p.key(i, h / (p.heads / p.kv_heads), c);
    dot *= static_cast<double>(p.scale);
    if (temper && i >= temper->begin && i < temper->end)
      dot = dot * static_cast<double>(temper->scale) + static_cast<double>(temper->shift);
    l.push_back(dot);
  }
  return l;
}

double log_sum_exp(const std::vector<double>& l) {
  double sum = 0;
  for (double x : l) sum += std::exp(x);
  return std::log(sum);
}

}  // namespace

TEST_CASE("reference attention is softmax(q k) v over each row's interval") {
  for (const auto& [heads, kv_heads, d] : {std::tuple{3, 3, 4}, {6, 2, 5}, {7, 1, 16}}) {
    const Problem p(6, heads, kv_heads, d, 9, 4, 23);
    const auto temper = GENERATE(std::optional<Temper>{}, std::optional<Temper>{{3, 15, 0.5F, 0.75F}});
    Device device("reference");
    const int kv = kv_heads * d;
    const Visibility visible = device.queue->visibility(p.intervals);
    const Tensor out = device.strided(p.rows, heads * d), lse = device.strided(p.rows, heads);
    device.queue->attention({.q = device.strided(p.rows, heads * d, p.q),
                             .kv = {device.strided(p.n_base, kv, p.base_k), device.strided(p.n_base, kv, p.base_v),
                                    device.strided(p.n_overlay, kv, p.overlay_k),
                                    device.strided(p.n_overlay, kv, p.overlay_v), device.indices(p.slots), p.n_keys},
                             .visible = &visible,
                             .head_dim = d,
                             .scale = p.scale,
                             .temper = temper,
                             .out = out,
                             .lse = lse});
    const std::vector<float> got = device.values(out), got_lse = device.values(lse);
    for (int r = 0; r < p.rows; ++r)
      for (int h = 0; h < heads; ++h) {
        const std::vector<double> l = logits(p, r, h, temper);
        const double total = log_sum_exp(l);
        const auto row_lse = static_cast<double>(got_lse[static_cast<std::size_t>(r * heads + h)]);
        if (l.empty())
          CHECK(row_lse == -std::numeric_limits<double>::infinity());
        else
          CHECK(row_lse == Approx(total).margin(2e-6));
        for (int c = 0; c < d; ++c) {
          double expected = 0;
          for (std::size_t i = 0; i < l.size(); ++i)
            expected +=
                std::exp(l[i] - total) * p.value(p.intervals[static_cast<std::size_t>(r)].begin + static_cast<int>(i),
                                                 h / (heads / kv_heads), c);
          CHECK(static_cast<double>(got[static_cast<std::size_t>((r * heads + h) * d + c)]) ==
                Approx(expected).margin(3e-6));
        }
      }
    CHECK(device.guards_intact());
  }
}

TEST_CASE("reference attention mass reduces the softmax over heads, then over rows") {
  const Problem p(5, 6, 2, 8, 11, 3, 17);
  const auto heads_reduce = GENERATE(HeadReduce::sum, HeadReduce::mean);
  const auto rows_reduce = GENERATE(RowReduce::sum, RowReduce::max, RowReduce::l2);
  std::vector<double> expected(static_cast<std::size_t>(p.n_keys));
  for (int r = 0; r < p.rows; ++r) {
    std::vector<double> over_heads(static_cast<std::size_t>(p.n_keys));
    for (int h = 0; h < p.heads; ++h) {
      const std::vector<double> l = logits(p, r, h, {});
      for (std::size_t i = 0; i < l.size(); ++i)
        over_heads[static_cast<std::size_t>(p.intervals[static_cast<std::size_t>(r)].begin) + i] +=
            std::exp(l[i] - log_sum_exp(l)) / (heads_reduce == HeadReduce::mean ? p.heads : 1);
    }
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = rows_reduce == RowReduce::max
                        ? std::max(expected[i], over_heads[i])
                        : expected[i] + (rows_reduce == RowReduce::l2 ? over_heads[i] * over_heads[i] : over_heads[i]);
  }
  if (rows_reduce == RowReduce::l2)
    for (double& e : expected) e = std::sqrt(e);

  Device device("reference");
  const int kv = p.kv_heads * p.head_dim;
  const Visibility visible = device.queue->visibility(p.intervals);
  const Tensor out = device.strided(p.n_keys, 1);
  device.queue->attention_mass({.q = device.strided(p.rows, p.heads * p.head_dim, p.q),
                                .kv = {device.strided(p.n_base, kv, p.base_k),
                                       {},
                                       device.strided(p.n_overlay, kv, p.overlay_k),
                                       {},
                                       device.indices(p.slots),
                                       p.n_keys},
                                .visible = &visible,
                                .head_dim = p.head_dim,
                                .scale = p.scale,
                                .heads = heads_reduce,
                                .rows = rows_reduce,
                                .out = out});
  const std::vector<float> got = device.values(out);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(static_cast<double>(got[i]) == Approx(expected[i]).margin(2e-6));
  CHECK(device.guards_intact());
}
