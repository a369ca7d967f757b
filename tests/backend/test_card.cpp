// What only a card does, emulated or real: its decode batches, its errors.
#include "attention_problem.h"
#include "core/error.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

bool has_card() { return device_under_test() == "cuda"; }

}  // namespace

TEST_CASE("a row of a decode batch has bits of its own whatever the batch holds") {
  if (!has_card()) return;
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const std::int64_t n = 70, k = 96;
  const std::vector<float> w = random_values(n * k, 1), x = random_values(40 * k, 2);
  Device d("cuda", dtype);
  const std::int64_t rows = d.backend->decode_rows();
  REQUIRE(rows > 1);
  const WeightPtr weight = d.backend->prepare(source_of(w, n, k));
  std::vector<float> alone;
  for (const std::int64_t first : {0, 3, 24}) {  // row 24 behind different neighbours, at different places
    std::vector<float> batch(x.begin() + first * k, x.begin() + (first + rows) * k);
    std::copy_n(x.begin() + 24 * k, k, batch.begin());
    const Tensor out = d.strided(rows, n);
    d.queue->matmul(out, d.tensor(rows, k, batch), *weight);
    const std::vector<float> got = d.values(out.row_range(0, 1));
    if (alone.empty()) alone = got;
    CHECK(got == alone);
  }
}

TEST_CASE("a cell decodes to the same bits alone and in a batch on a card") {
  if (!has_card()) return;
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  AttentionProblem all(8, 6, 2, 24, 2700);
  all.store = dtype;
  const std::int64_t width = all.heads * all.head_dim;
  Device d("cuda", dtype);
  const std::vector<float> expected = all.decode(d);
  for (int row = 0; row < all.rows; ++row) {
    AttentionProblem one = all;
    one.rows = 1;
    one.q.assign(all.q.begin() + row * width, all.q.begin() + (row + 1) * width);
    one.intervals = {all.intervals[static_cast<std::size_t>(row)]};
    const std::vector<float> got = one.decode(d);
    CHECK(std::equal(got.begin(), got.end(), expected.begin() + row * width));
  }
}

TEST_CASE("a row's bits do not depend on its neighbours where the keys are cut alike") {
  if (!has_card()) return;
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  AttentionProblem all(90, 6, 2, 24, 450, AttentionProblem::Mask::causal);  // one part
  all.store = dtype;
  const std::int64_t width = all.heads * all.head_dim;
  Device d("cuda", dtype);
  const std::vector<float> expected = all.attention(d);
  for (const int count : {1, 7, 40}) {
    AttentionProblem some = all;
    some.rows = count;
    some.q.assign(all.q.begin() + 13 * width, all.q.begin() + (13 + count) * width);
    some.intervals.assign(all.intervals.begin() + 13, all.intervals.begin() + 13 + count);
    const std::vector<float> got = some.attention(d);
    CHECK(std::equal(got.begin(), got.begin() + count * width, expected.begin() + 13 * width));
  }
}

TEST_CASE("tensor cores agree with the reference over many parts of the keys") {
  if (!has_card()) return;
  const auto rows = GENERATE(2, 40, 700);
  AttentionProblem p(rows, 6, 2, 24, 4500, AttentionProblem::Mask::causal);
  p.store = DType::bf16;
  Device reference("reference", DType::bf16);
  const std::vector<float> expected = p.attention(reference);
  for (const TestedDevice& tested : devices_under_test()) {
    Device device = tested.make(DType::bf16);
    const std::vector<float> got = p.attention(device);
    // Where one key has nearly all of a row, a logit's last bit can move its probability by one step of bf16, 2^-8, and
    // the row by that times |v| ≤ 4. It is rare: nearly all elements are within the bound of the other tests.
    CHECK(largest_difference(got, expected) <= 0.016);
    std::size_t far = 0;
    for (std::size_t i = 0; i < got.size(); ++i) far += std::abs(got[i] - expected[i]) > 4e-3F ? 1 : 0;
    CHECK(far * 1000 <= got.size());
    CHECK(device.guards_intact());
  }
}

TEST_CASE("a column longer than what is staged at once comes and goes, dense and beside another") {
  if (!has_card()) return;
  Device d("cuda");
  std::vector<std::int32_t> numbers(1'200'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int32_t>(i * 2654435761U % 1000003);
  const auto rows = static_cast<std::int64_t>(numbers.size());
  const Tensor pairs = d.backend->allocate(DType::i32, rows, 2);
  const Tensor left = pairs.col_range(0, 1), right = pairs.col_range(1, 1), dense = d.indices(numbers);
  CHECK(d.integers(dense) == numbers);
  d.queue->upload(left, std::span<const std::int32_t>(numbers));
  const std::vector<std::int32_t> ones(numbers.size(), 1);
  d.queue->upload(right, std::span<const std::int32_t>(ones));
  CHECK(d.integers(left) == numbers);
  CHECK(d.integers(right) == ones);
}

TEST_CASE("a card that does not exist, and a name that is none") {
  if (!has_card()) return;
  CHECK_THROWS_WITH(make_backend({.device = "cuda:77"}), Catch::Contains("numbered from 0"));
  CHECK_THROWS_WITH(make_backend({.device = "cuda:x"}), Catch::Contains("cuda:N"));
  CHECK_THROWS_WITH(make_backend({.device = "cuda0"}), Catch::Contains("cuda:N"));
}

TEST_CASE("more memory than a card has is an error with the numbers") {
  if (!has_card()) return;
  Device d("cuda");
  CHECK_THROWS_WITH(d.backend->allocate(DType::f32, 1 << 20, 1 << 20), Catch::Contains("4096.0 GiB asked for"));
  CHECK(d.values(d.tensor(1, 2, {3, 4})) == std::vector<float>{3, 4});  // and goes on
}
