// Attention on tensor cores, the narrow tile and the wide one on equal shapes, against plain loops.
#include <algorithm>

#include "attention_mma.cuh"
#include "catch.h"
#include "mutants/mutant.h"
#include "options.h"

using namespace mutants;
using namespace kvmend::gpu;

namespace {

enum class Sees { everything, up_to_its_position, a_window };

struct Shape {
  int rows, group, head_dim, n_keys;
  Sees sees = Sees::up_to_its_position;
  int parts = 1;
  KeyTemper temper = {0, 0, 1, 0};
};

std::vector<bf16> rounded(const std::vector<float>& values) {
  std::vector<bf16> all;
  for (const float v : values) all.push_back(__float2bfloat16(v));
  return all;
}

/// Two KV heads; keys from two stores in any order; query rows at sorted positions far apart, as recomputed rows are.
struct Problem {
  static constexpr int kHeads = 2;
  Shape shape;
  std::vector<float> q;
  std::vector<bf16> base_k, base_v, overlay_k, overlay_v;
  std::vector<std::int32_t> slots, intervals;

  explicit Problem(const Shape& s) : shape(s) {
    const auto count = [&](int rows) { return static_cast<std::size_t>(rows * kHeads * s.head_dim); };
    q = random_values(count(s.rows * s.group), 1);
    for (float& v : q) v *= 3;
    base_k = rounded(random_values(count(s.n_keys), 2));
    base_v = rounded(random_values(count(s.n_keys), 3));
    overlay_k = rounded(random_values(count(s.n_keys), 4));
    overlay_v = rounded(random_values(count(s.n_keys), 5));
    std::mt19937 generator(6);
    for (int i = 0; i < s.n_keys; ++i)
      slots.push_back(static_cast<int>(generator() % static_cast<unsigned>(2 * s.n_keys)) - s.n_keys);
    for (int r = 0; r < s.rows; ++r) {
      const int position = (r + 1) * s.n_keys / s.rows - 1 - static_cast<int>(generator() % 3U);
      const int end = s.sees == Sees::everything ? s.n_keys : std::clamp(position + 1, 0, s.n_keys);
      intervals.push_back(s.sees == Sees::a_window ? std::max(0, end - 70) : 0);
      intervals.push_back(end);
    }
  }
  int vectors() const { return shape.rows * shape.group; }
  float scale() const { return 1 / std::sqrt(static_cast<float>(shape.head_dim)); }
};

/// out [rows, heads, head_dim], and of each vector log2 Σ 2^logit.
struct Result {
  std::vector<float> out, log_sums;
};

Result plain(const Problem& p) {
  const auto [rows, group, d, n_keys, sees, parts, temper] = p.shape;
  const int heads = Problem::kHeads * group, width = Problem::kHeads * d;
  Result result{std::vector<float>(static_cast<std::size_t>(rows * heads * d)), {}};
  for (int row = 0; row < rows; ++row)
    for (int head = 0; head < heads; ++head) {
      std::vector<double> sum(static_cast<std::size_t>(d));
      double all = 0;
      for (int i = p.intervals[2 * row]; i < p.intervals[2 * row + 1]; ++i) {
        const int slot = p.slots[i];
        const std::size_t at = static_cast<std::size_t>((slot >= 0 ? slot : -slot - 1) * width + head / group * d);
        const bf16* k = (slot >= 0 ? p.base_k : p.overlay_k).data() + at;
        const bf16* v = (slot >= 0 ? p.base_v : p.overlay_v).data() + at;
        double product = 0;
        for (int c = 0; c < d; ++c)
          product += static_cast<double>(round_bf16(p.q[static_cast<std::size_t>((row * heads + head) * d + c)])) *
                     static_cast<double>(to_float(k[c]));
        double logit = product * static_cast<double>(p.scale());
        if (i >= temper.begin && i < temper.end) logit = logit * temper.scale + temper.shift;
        all += std::exp(logit);
        for (int c = 0; c < d; ++c) sum[c] += std::exp(logit) * static_cast<double>(to_float(v[c]));
      }
      for (int c = 0; c < d; ++c)
        result.out[static_cast<std::size_t>((row * heads + head) * d + c)] =
            static_cast<float>(all > 0 ? sum[c] / all : 0);
      result.log_sums.push_back(static_cast<float>(std::log2(all)));
    }
  return result;
}

/// With tops_only `out` stays empty.
template <int width, bool wide>
Result run(const Problem& p, bool tops_only = false) {
  using Tile = MmaTile<width, wide>;
  const Stream stream;
  const int d = p.shape.head_dim, heads = Problem::kHeads * p.shape.group, parts = p.shape.parts;
  const std::size_t all = static_cast<std::size_t>(p.vectors() * Problem::kHeads), n = static_cast<std::size_t>(d);
  const Array<float> q(p.q, stream), out(all * n, stream), lse(all, stream), tops(all, stream), sums(all, stream);
  const Array<float> partials(all * (n + 2) * static_cast<std::size_t>(parts), stream);
  const Array<bf16> base_k(p.base_k, stream), base_v(p.base_v, stream), overlay_k(p.overlay_k, stream);
  const Array<bf16> overlay_v(p.overlay_v, stream);
  const Array<std::int32_t> slots(p.slots, stream), intervals(p.intervals, stream);
  const std::int64_t stride = Problem::kHeads * d;
  const KeyList<bf16> keys{
      {base_k.get(), base_v.get(), overlay_k.get(), overlay_v.get(), stride, stride, stride, stride},
      slots.get(),
      p.shape.n_keys,
      p.shape.temper};
  const AttentionShape shape{p.shape.rows, Problem::kHeads, p.shape.group, d, p.scale(), true, true, 0};
  const QueryRows queries{q.get(), static_cast<std::int64_t>(heads) * d, intervals.get()};
  const Partials cut{parts > 1 ? partials.get() : nullptr, parts};
  AttentionResult result{out.get(), static_cast<std::int64_t>(heads) * d, lse.get(), heads, nullptr, nullptr};
  if (tops_only) result = {nullptr, 0, nullptr, 0, tops.get(), sums.get()};
  constexpr auto& kernel = attention_mma<width, wide, true, bf16>;
  REQUIRE(KVMEND_ALLOW_SHARED(kernel, sizeof(Tile)) == cudaSuccess);
  const dim3 grid(static_cast<unsigned>((p.vectors() + Tile::kVectors - 1) / Tile::kVectors), Problem::kHeads,
                  static_cast<unsigned>(parts));
  REQUIRE(KVMEND_LAUNCH(kernel, grid, Tile::kThreads, sizeof(Tile), stream, queries, keys, nullptr, shape, cut,
                        result) == cudaSuccess);
  if (parts > 1)
    REQUIRE(KVMEND_LAUNCH(join_parts<0>, static_cast<unsigned>((all + 3) / 4), 128, 0, stream, cut, shape, result) ==
            cudaSuccess);
  if (!tops_only) {
    Result both{out.download(), lse.download()};
    for (float& v : both.log_sums) v *= kLog2E;
    return both;
  }
  const std::vector<float> top = tops.download(), sum = sums.download();
  Result stats;  // [KV heads, vectors] → [rows, heads]
  for (int row = 0; row < p.shape.rows; ++row)
    for (int head = 0; head < heads; ++head) {
      const int item = head / p.shape.group * p.vectors() + row * p.shape.group + head % p.shape.group;
      CHECK(top[item] == std::ceil(top[item]));
      stats.log_sums.push_back(sum[item] > 0 ? top[item] + std::log2(sum[item]) : -INFINITY);
    }
  return stats;
}

/// Results are of values below 1, rounded probabilities have eight bits.
void check_close(const Result& got, const Result& expected, const char* tile) {
  INFO(tile);
  CHECK(close(got.out, expected.out, 6e-3F));
  REQUIRE(got.log_sums.size() == expected.log_sums.size());
  bool all = true;
  for (std::size_t i = 0; i < got.log_sums.size(); ++i)
    all = all && (got.log_sums[i] == expected.log_sums[i] || std::abs(got.log_sums[i] - expected.log_sums[i]) < 2e-4F);
  CHECK(all);
}

template <int width>
void check_both_tiles(const Shape& shape) {
  INFO(shape.rows << " rows, groups of " << shape.group << ", heads of " << shape.head_dim << ", " << shape.n_keys
                  << " keys in " << shape.parts << " parts, mask " << static_cast<int>(shape.sees));
  const Problem p(shape);
  const Result expected = plain(p), narrow = run<width, false>(p), wide = run<width, true>(p);
  check_close(narrow, expected, "narrow");
  check_close(wide, expected, "wide");
  // In the same steps over the keys: to the bit where the cuts are the same.
  if (shape.parts == 1 && MmaTile<width, false>::kKeys == MmaTile<width, true>::kKeys && shape.sees != Sees::a_window)
    CHECK(narrow.out == wide.out);
  const Result sums{{}, expected.log_sums};
  check_close(run<width, false>(p, true), sums, "narrow, tops only");
  check_close(run<width, true>(p, true), sums, "wide, tops only");
}

void check_both_tiles(const Shape& shape) {
  if (shape.head_dim <= 32) return check_both_tiles<32>(shape);
  if (shape.head_dim <= 64) return check_both_tiles<64>(shape);
  if (shape.head_dim <= 128) return check_both_tiles<128>(shape);
  check_both_tiles<256>(shape);
}

/// An A100's shared memory, and a schedule.
class Card {
 public:
  explicit Card(simt::Schedule schedule) {
    simt::options().shared_limit = std::size_t{163} << 10U;
    simt::options().schedule = schedule;
  }
  ~Card() { simt::options() = before_; }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

 private:
  simt::Options before_ = simt::options();
};

}  // namespace

TEST_CASE("both tiles of attention on tensor cores are right at the edges of their vectors") {
  const Card card(simt::Schedule::random);
  for (const int rows : {1, 63, 64, 65, 127, 128, 129}) check_both_tiles({rows, 1, 32, 130});
  check_both_tiles({43, 3, 32, 190});  // 129 vectors
  check_both_tiles({32, 4, 32, 190});  // 128
  check_both_tiles({18, 7, 32, 190});  // 126
  check_both_tiles({50, 7, 32, 190});  // 350
}

TEST_CASE("both tiles take every width, mask, temper and cut of the keys") {
  for (const simt::Schedule schedule : {simt::Schedule::forward, simt::Schedule::reverse, simt::Schedule::random}) {
    const Card card(schedule);
    check_both_tiles(
        {33, 4, 64, 200, Sees::a_window, 1, {62, 66, 0.5F, 3}});  // the end of a tile, the next one's begin
    check_both_tiles({45, 3, 80, 150, Sees::up_to_its_position, 1, {20, 101, 0.7F, 1.25F}});
    check_both_tiles({24, 7, 96, 192, Sees::everything, 2});
    check_both_tiles({70, 1, 128, 330, Sees::up_to_its_position, 3});
    check_both_tiles({67, 2, 256, 100, Sees::a_window, 1, {64, 128, 1.3F, -0.5F}});
    check_both_tiles({20, 4, 256, 200, Sees::up_to_its_position, 2});
  }
}

TEST_CASE("in both tiles rows without keys are zero, and logits of thousands neither overflow nor vanish") {
  const Card card(simt::Schedule::reverse);
  Problem p({90, 1, 32, 140});
  for (int r = 0; r < 20; ++r) p.intervals[2 * r] = p.intervals[2 * r + 1] = r;
  for (const Result& got : {run<32, false>(p), run<32, true>(p)}) check_close(got, plain(p), "rows without keys");
  for (float& v : p.q) v *= 1000;
  const Result narrow = run<32, false>(p), wide = run<32, true>(p);
  CHECK(narrow.out == wide.out);
  for (const float v : wide.out) REQUIRE(std::isfinite(v));
}
