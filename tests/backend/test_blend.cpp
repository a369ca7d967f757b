// Joining attention over two sets of keys, blending rows by their cosine, and how ranges of rows changed on average.
#include <limits>
#include <tuple>

#include "backend/tolerance.h"
#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("attention over two disjoint sets of keys joins to attention over both") {
  for (const std::string& name : {std::string("reference"), device_under_test()}) {
    Device d(name);
    const std::int64_t rows = 3, heads = 2, width = 8, keys = 11;
    const auto q = d.tensor(rows, heads * width, random_values(rows * heads * width, 1));
    KvView kv;
    kv.base_k = d.tensor(keys, width, random_values(keys * width, 2));
    kv.base_v = d.tensor(keys, width, random_values(keys * width, 3));
    kv.slots = d.indices({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    kv.n_keys = keys;
    const auto attend = [&](std::int32_t begin, std::int32_t end) {
      const std::vector<Visibility::Interval> seen(static_cast<std::size_t>(rows), {begin, end});
      const Visibility visible = d.queue->visibility(seen);
      AttentionArgs args;
      args.q = q;
      args.kv = kv;
      args.visible = &visible;
      args.head_dim = width;
      args.scale = 0.3F;
      args.out = d.strided(rows, heads * width);
      args.lse = d.backend->allocate(DType::f32, rows, heads);
      d.queue->attention(args);
      return args;
    };
    const auto left = attend(0, 4), right = attend(4, keys), all = attend(0, keys), none = attend(2, 2);
    const Tensor out = d.strided(rows, heads * width);
    d.queue->join_attention(out, left.out, left.lse, right.out, right.lse, 1);
    CHECK(largest_difference(d.values(out), d.values(all.out)) < 1e-6);
    // A side without keys has no weight, whatever its scale.
    d.queue->join_attention(out, none.out, none.lse, all.out, all.lse, 0.81F);
    CHECK(largest_difference(d.values(out), d.values(all.out)) < 1e-6);
    d.queue->join_attention(out, none.out, none.lse, none.out, none.lse, 1);
    CHECK(largest_difference(d.values(out), std::vector<float>(static_cast<std::size_t>(rows * heads * width))) == 0);
    CHECK(d.guards_intact());
  }
}

TEST_CASE("rows blend by their cosine: the same stays, the opposite is dropped") {
  Device d(device_under_test());
  const Tensor old = d.tensor(4, 2, {1, 0, 1, 0, 1, 0, 0, 0}), to = d.strided(4, 2, {2, 0, -3, 0, 3, 4, 5, 5});
  d.queue->blend_rows(to, old);
  // cos = 1, −1, 0.6, and a row of zeros has no direction: the cached row stays.
  const std::vector<float> expected{2, 0, 1, 0, 0.6F * 3 + 0.4F, 0.6F * 4, 0, 0};
  CHECK(largest_difference(d.values(to), expected) < 1e-6);
  CHECK(d.guards_intact());
}

TEST_CASE("the mean change of a range is its rows' own, and 0 where there are none") {
  for (const std::string& name : {std::string("reference"), device_under_test()}) {
    Device d(name);
    const Tensor ranges = d.backend->allocate(DType::i32, 4, 2), out = d.strided(4, 2);
    d.queue->upload(ranges, std::vector<std::int32_t>{0, 1, 1, 1, 1, 4, 0, 4});
    const Tensor fresh = d.tensor(4, 2, {1, 2, 3, 4, 5, 6, 7, 8}), old = d.tensor(4, 2, {0, 0, 1, 0, 0, 3, 2, 0});
    d.queue->mean_change(out, fresh, old, ranges);
    CHECK(largest_difference(d.values(out), {1, 2, 0, 0, 4, 5, 3.25F, 4.25F}) < 1e-6);
    // Without rows at all.
    const Tensor none = d.backend->allocate(DType::f32, 0, 2), empty = d.strided(1, 2);
    const Tensor nothing = d.backend->allocate(DType::i32, 1, 2);
    d.queue->upload(nothing, std::vector<std::int32_t>{0, 0});
    d.queue->mean_change(empty, none, none, nothing);
    CHECK(d.values(empty) == std::vector<float>{0, 0});
    CHECK(d.guards_intact());
    CHECK_THROWS_WITH(d.queue->mean_change(out, fresh, old, nothing),
                      Catch::Contains("ranges is [out.rows, 2], dense"));
    CHECK_THROWS_WITH(d.queue->mean_change(out, fresh, d.tensor(4, 2, std::vector<float>(8), DType::bf16), ranges),
                      Catch::Contains("one real dtype"));
  }
}

TEST_CASE("mean_change agrees with the reference") {
  for (const auto& [rows, cols, n] : {std::tuple{1, 1, 1}, {7, 33, 3}, {40, 129, 50}, {300, 260, 5}, {64, 128, 2}}) {
    const std::vector<float> fresh = random_values(rows * cols, 1), old = random_values(rows * cols, 2);
    std::vector<std::int32_t> bounds;
    for (int u = 0; u < n; ++u) {
      bounds.push_back(u * rows / n);
      bounds.push_back((u + 1) * rows / n);
    }
    bounds.back() = bounds[bounds.size() - 2];  // the last unit's rows were not chosen
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto change = [&, r = rows, c = cols, ranges = n](Device& d) {
        const Tensor of = d.backend->allocate(DType::i32, ranges, 2), out = d.strided(ranges, c);
        d.queue->upload(of, bounds);
        d.queue->mean_change(out, d.strided(r, c, fresh, dtype), d.strided(r, c, old, dtype), of);
        return d.values(out);
      };
      Device reference("reference");
      const std::vector<float> expected = change(reference);
      for (const TestedDevice& tested : devices_under_test()) {
        for (const bool aligned : {false, true}) {
          INFO(tested.label << ": " << n << " ranges of " << rows << " rows of " << cols);
          Device d = tested.make(DType::f32);
          d.aligned = aligned;
          CHECK(row_error(change(d), expected, cols) <= tolerance(OpKind::sum, DType::f32).of_row);
          CHECK(d.guards_intact());
        }
      }
    }
  }
}

TEST_CASE("joining and blending agree with the reference") {
  for (const auto& [rows, heads, width] : {std::tuple{1, 1, 1}, {3, 2, 20}, {37, 5, 33}, {9, 3, 64}, {20, 2, 256}}) {
    const std::int64_t cols = heads * width;
    const std::vector<float> a = random_values(rows * cols, 1), b = random_values(rows * cols, 2);
    std::vector<float> lse_a = random_values(rows * heads, 3, 2), lse_b = random_values(rows * heads, 4, 2);
    lse_a.front() = -std::numeric_limits<float>::infinity();
    lse_b.back() = -std::numeric_limits<float>::infinity();
    std::vector<float> near = a;
    for (std::size_t i = 0; i < near.size(); ++i) near[i] += b[i];
    const auto join = [&, r = rows, h = heads](Device& d) {
      const Tensor out = d.strided(r, cols, a);  // in place
      d.queue->join_attention(out, out, d.strided(r, h, lse_a), d.strided(r, cols, b), d.strided(r, h, lse_b), 0.8F);
      return d.values(out);
    };
    Device reference("reference");
    for (const TestedDevice& tested : devices_under_test()) {
      INFO(tested.label << ": " << rows << " rows, " << heads << " heads of " << width);
      Device d = tested.make(DType::f32);
      CHECK(row_error(join(d), join(reference), cols) <= tolerance(OpKind::sum, DType::f32).of_row);
      for (const DType dtype : {DType::f32, DType::bf16}) {
        const auto blend = [&, r = rows](Device& on) {
          const Tensor to = on.strided(r, cols, near, dtype);
          on.queue->blend_rows(to, on.strided(r, cols, a, dtype));
          return on.values(to);
        };
        CHECK(row_error(blend(d), blend(reference), cols) <= tolerance(OpKind::sum, DType::f32, dtype).of_row);
      }
      CHECK(d.guards_intact());
    }
  }
}
