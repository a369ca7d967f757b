// That the self-test finds what is wrong, and nothing where nothing is.
#include "selftest/selftest.h"

#include <algorithm>
#include <cmath>

#include "backend/reference/reference_backend.h"
#include "backend/reference/reference_queue.h"
#include "catch.h"
#include "core/error.h"
#include "selftest/cases.h"

using namespace kvmend;

namespace {

enum class Fault : std::uint8_t { none, one_element, left_out, throws };

/// The reference with one operation that does not do what it should.
class FaultyQueue final : public ReferenceQueue {
 public:
  FaultyQueue(DType compute, Fault fault) : ReferenceQueue(compute), fault_(fault) {}

 protected:
  void do_layer_norm(const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) override {
    if (fault_ == Fault::throws) fail(ErrorKind::device, "the card fell off the bus");
    const std::int64_t rows = fault_ == Fault::left_out ? x.rows() - 1 : x.rows();
    ReferenceQueue::do_layer_norm(out.row_range(0, rows), x.row_range(0, rows), weight, bias, eps);
    if (fault_ != Fault::one_element) return;
    float one = 0;
    const Tensor last = out.row_range(out.rows() - 1, 1).col_range(out.cols() - 1, 1);
    do_download(std::span<float>(&one, 1), last);
    one += 2e-3F;  // of a row whose largest element is about 3
    do_upload(last, std::span<const float>(&one, 1));
  }

 private:
  Fault fault_;
};

class FaultyBackend final : public Backend {
 public:
  explicit FaultyBackend(Fault fault) : fault_(fault) {}
  std::string name() const override { return "faulty"; }
  std::string description() const override { return "for this test"; }
  DType compute_dtype() const override { return right_.compute_dtype(); }
  int threads() const override { return 1; }
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override {
    return right_.allocate(dtype, rows, cols);
  }
  WeightPtr prepare(const WeightSource& source) override { return right_.prepare(source); }
  WeightPtr prepare(std::span<const WeightSource> sources) override { return right_.prepare(sources); }
  Tensor prepare_table(const WeightSource& source) override { return right_.prepare_table(source); }
  std::unique_ptr<Queue> make_queue() override { return std::make_unique<FaultyQueue>(compute_dtype(), fault_); }
  int decode_rows() const override { return right_.decode_rows(); }
  int max_decode_rows() const override { return right_.max_decode_rows(); }

 private:
  ReferenceBackend right_{DType::f32};
  Fault fault_;
};

std::vector<selftest::Finding> findings(Fault fault) {
  FaultyBackend backend(fault);
  std::vector<selftest::Finding> all;
  selftest::run(backend, {}, {.timed = true, .only = {}}, [&](const selftest::Finding& f) { all.push_back(f); });
  return all;
}

}  // namespace

TEST_CASE("the reference agrees with itself in every case, and is not timed without a peak") {
  const auto all = findings(Fault::none);
  CHECK(all.size() == selftest::case_names().size());
  for (const auto& f : all) {
    INFO(f.name << " " << f.trouble);
    CHECK(f.agrees);
    CHECK(f.error == 0);
    CHECK(f.seconds == 0);
  }
}

TEST_CASE("one wrong element and one row left out are found, and nothing else is") {
  for (const Fault fault : {Fault::one_element, Fault::left_out}) {
    const auto all = findings(fault);
    CHECK(all.size() == selftest::case_names().size());
    for (const auto& f : all) CHECK(f.agrees == (f.name != "layer_norm"));
  }
}

TEST_CASE("an operation that throws ends the test: the device may be lost") {
  const auto all = findings(Fault::throws);
  REQUIRE(!all.empty());
  CHECK(all.size() < selftest::case_names().size());
  CHECK(all.back().name == "layer_norm");
  CHECK(all.back().trouble == "the card fell off the bus");
  CHECK_FALSE(all.back().agrees);
}

TEST_CASE("a timed case has a rate and a share of the peak it was given") {
  const auto backend = make_backend({.device = "cpu", .dtype = DType::f32, .threads = 1});
  int timed = 0;
  selftest::run(*backend, {.flops = 1e30, .bytes = 1e30}, {.seconds_of_case = 1e-4, .only = "argmax"},
                [&](const selftest::Finding& f) {
                  ++timed;
                  CHECK(f.agrees);
                  CHECK(f.seconds > 0);
                  CHECK(f.bytes > 0);
                  CHECK(f.share > 0);
                  CHECK(f.share < 1e-6);
                  CHECK_FALSE(f.compute_bound);
                  CHECK(f.design_share == 0);  // of cards only
                });
  CHECK(timed == 1);
}

TEST_CASE("large operands repeat what the host made, and blank ones are NaN throughout") {
  const auto backend = make_backend({.device = "cpu", .dtype = DType::f32, .threads = 1});
  selftest::Workbench bench(*backend, selftest::kCompared);
  const std::int64_t rows = 3000, cols = 1000, made = 1049;  // a million elements, rounded up to a row
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const std::vector<float> values = bench.read(bench.values(rows, cols, 1, dtype));
    for (const std::int64_t row : {made, made + 7, 2 * made - 1, 2 * made, rows - 1})
      CHECK(std::equal(values.begin() + row * cols, values.begin() + (row + 1) * cols,
                       values.begin() + row % made * cols));
    const std::vector<float> blank = bench.read(bench.blank(rows, cols, dtype));
    CHECK(std::all_of(blank.begin(), blank.end(), [](float x) { return std::isnan(x); }));
  }
}

TEST_CASE("a card is judged by what its own instructions reach") {
  const selftest::DesignShares shares{0.2, 0.35, 0.55}, same{0.7, 0.6};
  for (const int capability : {80, 86, 89, 120}) CHECK(shares.of(DType::bf16, capability) == 0.55);
  for (const int capability : {90, 100}) CHECK(shares.of(DType::bf16, capability) == 0.35);
  CHECK(shares.of(DType::f32, 80) == 0.2);
  CHECK(same.of(DType::bf16, 80) == 0.6);
}
