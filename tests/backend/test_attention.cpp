// Attention on the devices under test against the reference.
#include <algorithm>

#include "attention_problem.h"
#include "backend/tolerance.h"

using namespace kvmend;
using namespace kvmend::test;
using Mask = AttentionProblem::Mask;

namespace {

struct Heads {
  int heads, kv_heads, head_dim;
};
const Heads kHeads[] = {{1, 1, 16}, {9, 3, 64}, {7, 1, 20}, {4, 4, 80}, {14, 2, 128}, {50, 1, 8}, {3, 1, 33}};

/// What a run of a problem gives, in rows of so many elements, and how far each may be from the reference's.
struct Part {
  std::size_t first, count;
  std::int64_t cols;
  Tolerance allowed;
};

template <class Run>
void compare(const AttentionProblem& problem, DType dtype, const Run& run, const std::vector<Part>& parts) {
  Device reference("reference", dtype);
  const std::vector<float> expected = run(reference);
  for (const TestedDevice& tested : devices_under_test()) {
    Device device = tested.make(dtype);
    INFO(tested.label << ", " << dtype_name(dtype) << ": " << problem.rows << " rows, " << problem.heads << "/"
                      << problem.kv_heads << " heads of " << problem.head_dim << ", " << problem.n_keys << " keys");
    const std::vector<float> got = run(device);
    REQUIRE(got.size() == expected.size());
    for (const Part& part : parts) {
      const auto of = [&](const std::vector<float>& all) {
        return std::span<const float>(all).subspan(part.first, part.count);
      };
      CHECK(row_error(of(got), of(expected), part.cols) <= part.allowed.of_row);
    }
    CHECK(device.guards_intact());
  }
}

std::vector<Part> outputs(const AttentionProblem& p, Tolerance allowed) {
  const auto vectors = static_cast<std::size_t>(p.rows * p.heads);
  return {{0, vectors * static_cast<std::size_t>(p.head_dim), p.heads * p.head_dim, allowed}};
}

void compare_attention(const AttentionProblem& p, DType dtype) {
  std::vector<Part> parts = outputs(p, tolerance(OpKind::attention, dtype));
  parts.push_back({parts[0].count, static_cast<std::size_t>(p.rows * p.heads), p.heads, tolerance(OpKind::sum, dtype)});
  compare(
      p, dtype,
      [&](Device& d) {
        std::vector<float> both = p.attention(d);
        // A log-sum may be near 0; what it stands for is a sum, and has a sum's relative error.
        std::transform(both.begin() + static_cast<std::ptrdiff_t>(parts[0].count), both.end(),
                       both.begin() + static_cast<std::ptrdiff_t>(parts[0].count), [](float x) { return std::exp(x); });
        return both;
      },
      parts);
}

void compare_decode(const AttentionProblem& p, DType dtype) {
  compare(
      p, dtype, [&](Device& d) { return p.decode(d); }, outputs(p, tolerance(OpKind::attention, dtype)));
}

/// The statistics of all keys are one row.
void compare_mass(const AttentionProblem& p, DType dtype, HeadReduce over_heads, RowReduce over_rows) {
  const std::vector<Part> all{{0, static_cast<std::size_t>(p.n_keys), p.n_keys, tolerance(OpKind::sum, dtype)}};
  compare(
      p, dtype, [&](Device& d) { return p.mass(d, over_heads, over_rows); }, all);
}

}  // namespace

TEST_CASE("attention agrees with the reference") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  for (const Heads& h : kHeads)
    for (const Mask mask : {Mask::random, Mask::causal, Mask::all})
      for (const auto& shape : {std::pair{1, 1}, {1, 150}, {5, 37}, {70, 300}}) {
        AttentionProblem p(shape.first, h.heads, h.kv_heads, h.head_dim, shape.second, mask);
        p.store = dtype;
        compare_attention(p, dtype);
      }
}

// A card takes tiles of 64 query vectors (rows by heads of a group) or of 128; other devices their own.
TEST_CASE("attention with as many vectors as a tile has, one more and one less") {
  const auto mask = GENERATE(Mask::sparse, Mask::window, Mask::all);
  struct Shape {
    Heads heads;
    int rows;
  };
  for (const auto& [h, rows] : std::initializer_list<Shape>{{{1, 1, 32}, 64},
                                                            {{2, 2, 32}, 65},
                                                            {{1, 1, 64}, 127},
                                                            {{1, 1, 32}, 128},
                                                            {{2, 2, 64}, 129},
                                                            {{3, 1, 64}, 43},
                                                            {{8, 2, 80}, 32},
                                                            {{7, 1, 96}, 18},
                                                            {{7, 1, 96}, 19},
                                                            {{8, 2, 128}, 33},
                                                            {{2, 1, 256}, 64},
                                                            {{4, 1, 256}, 33},
                                                            {{4, 1, 256}, 15}}) {
    AttentionProblem p(rows, h.heads, h.kv_heads, h.head_dim, 210, mask);
    p.store = DType::bf16;
    if (rows % 2 != 0) p.temper = Temper{70, 190, 0.7F, 1.25F};
    compare_attention(p, DType::bf16);
    compare_mass(p, DType::bf16, HeadReduce::sum, RowReduce::sum);
  }
}

TEST_CASE("attention of many vectors over splits of the keys") {
  const auto mask = GENERATE(Mask::sparse, Mask::window);
  for (const Heads& h : {Heads{4, 1, 128}, {1, 1, 64}, {2, 1, 256}}) {
    AttentionProblem p(132 / h.heads, h.heads, h.kv_heads, h.head_dim, 2100, mask);
    p.store = DType::bf16;
    compare_attention(p, DType::bf16);
    compare_mass(p, DType::bf16, HeadReduce::mean, RowReduce::max);
  }
}

TEST_CASE("attention over many splits of the keys, few rows and many") {
  const auto rows = GENERATE(2, 40, 700);
  AttentionProblem p(rows, 6, 2, 20, 4500, Mask::causal);
  compare_attention(p, DType::f32);
}

TEST_CASE("attention without an overlay, with values stored in another type than the compute type") {
  AttentionProblem p(20, 4, 2, 16, 60, Mask::random, false);
  for (const DType store : {DType::f32, DType::bf16})
    for (const DType compute : {DType::f32, DType::bf16}) {
      p.store = store;
      compare_attention(p, compute);
    }
}

TEST_CASE("a temper scales and shifts the logits of its keys") {
  for (const auto& range : {std::pair{0, 300}, {17, 18}, {100, 260}, {299, 300}, {40, 40}}) {
    AttentionProblem p(33, 6, 2, 20, 300);
    p.temper = Temper{range.first, range.second, 0.7F, 1.25F};
    compare_attention(p, DType::f32);
    compare_decode(p, DType::f32);
  }
}

TEST_CASE("rows without keys are zero and their log-sum is minus infinity") {
  for (const int n_keys : {0, 40})
    for (const std::string& name : {std::string("reference"), device_under_test()}) {
      AttentionProblem p(3, 2, 1, 16, n_keys, Mask::all);
      p.intervals = {{0, 0}, {n_keys / 2, n_keys / 2}, {n_keys, n_keys}};
      Device d(name);
      const std::vector<float> got = p.attention(d);
      for (std::size_t i = 0; i < 3 * 32; ++i) CHECK(got[i] == 0);
      for (std::size_t i = 3 * 32; i < got.size(); ++i) CHECK(got[i] == -std::numeric_limits<float>::infinity());
    }
}

TEST_CASE("extreme logits neither overflow nor vanish") {
  AttentionProblem p(6, 2, 1, 16, 200, Mask::all);
  for (float& v : p.q) v *= 300;  // logits of ±3000
  compare(
      p, DType::f32,
      [&](Device& d) {
        std::vector<float> all = p.attention(d);
        for (float v : all) REQUIRE(std::isfinite(v));
        all.resize(6 * 32);  // the log-sums are thousands: checked for being finite only
        return all;
      },
      outputs(p, {2e-3, "a logit of 3000 carries an error of 2e-4, and so does each probability"}));
}

TEST_CASE("a row's bits do not depend on the rows it is computed with, nor on threads") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  AttentionProblem all(90, 6, 2, 20, 4300, Mask::causal);
  all.store = dtype;
  for (const Kernels* kernels : tested_kernels()) {
    Device d(*kernels, dtype, 1);
    const std::vector<float> expected = all.attention(d);
    for (const int threads : {1, 2, 3})
      for (const int count : {1, 7, 40}) {
        AttentionProblem some = all;  // the rows from 13 on
        const std::int64_t width = all.heads * all.head_dim;
        some.rows = count;
        some.q.assign(all.q.begin() + 13 * width, all.q.begin() + (13 + count) * width);
        some.intervals.assign(all.intervals.begin() + 13, all.intervals.begin() + 13 + count);
        Device other(*kernels, dtype, threads);
        const std::vector<float> got = some.attention(other);
        CHECK(std::equal(got.begin(), got.begin() + count * width, expected.begin() + 13 * width));
      }
  }
}

TEST_CASE("decode attention agrees with the reference") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  for (const Heads& h : kHeads)
    for (const auto& shape : {std::pair{1, 1}, {1, 1300}, {4, 70}, {9, 600}}) {
      AttentionProblem p(shape.first, h.heads, h.kv_heads, h.head_dim, shape.second);
      p.store = dtype;
      compare_decode(p, dtype);
    }
}

TEST_CASE("a cell's decode bits do not depend on the other cells, nor on threads") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  AttentionProblem all(8, 6, 2, 20, 1700);
  all.store = dtype;
  const std::int64_t width = all.heads * all.head_dim;
  for (const Kernels* kernels : tested_kernels()) {
    Device d(*kernels, dtype, 2);
    const std::vector<float> expected = all.decode(d);
    for (int row = 0; row < all.rows; ++row) {
      AttentionProblem one = all;
      one.rows = 1;
      one.q.assign(all.q.begin() + row * width, all.q.begin() + (row + 1) * width);
      one.intervals = {all.intervals[static_cast<std::size_t>(row)]};
      Device other(*kernels, dtype, 1 + row % 3);
      const std::vector<float> got = one.decode(other);
      CHECK(std::equal(got.begin(), got.end(), expected.begin() + row * width));
    }
  }
}

TEST_CASE("attention mass agrees with the reference") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto over_heads = GENERATE(HeadReduce::sum, HeadReduce::mean);
  const auto over_rows = GENERATE(RowReduce::sum, RowReduce::max, RowReduce::l2);
  for (const Heads& h : kHeads)
    for (const Mask mask : {Mask::random, Mask::causal})
      for (const auto& shape : {std::pair{1, 1}, {3, 140}, {40, 300}}) {
        AttentionProblem p(shape.first, h.heads, h.kv_heads, h.head_dim, shape.second, mask);
        p.store = dtype;
        compare_mass(p, dtype, over_heads, over_rows);
      }
}

TEST_CASE("attention mass over splits adds up to the number of rows") {
  AttentionProblem p(30, 6, 2, 20, 4300, Mask::causal);
  compare_mass(p, DType::f32, HeadReduce::mean, RowReduce::sum);
  Device d(device_under_test(), DType::f32, 2);
  double total = 0;
  for (const float m : p.mass(d, HeadReduce::mean, RowReduce::sum)) total += static_cast<double>(m);
  CHECK(total == Approx(30).margin(1e-3));
}

TEST_CASE("attention mass of no rows is zero") {
  for (const std::string& name : {std::string("reference"), device_under_test()}) {
    AttentionProblem p(0, 2, 1, 16, 50);
    Device d(name);
    CHECK(p.mass(d, HeadReduce::sum, RowReduce::l2) == std::vector<float>(50, 0.0F));
  }
}
