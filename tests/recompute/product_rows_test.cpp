// A device says how many rows go through a layer's products together.
#include <set>

#include "catch.h"
#include "recompute/bare_prefill.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/tested_devices.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

/// The reference, in blocks of other sizes; sees how many rows the outputs of one width have.
class Blocked final : public Backend {
 public:
  Blocked(int rows, std::int64_t seen_width) : rows_(rows), seen_width_(seen_width) {}
  std::set<std::int64_t> seen;

  std::string name() const override { return device_->name(); }
  std::string description() const override { return device_->description(); }
  DType compute_dtype() const override { return device_->compute_dtype(); }
  int threads() const override { return device_->threads(); }
  Tensor allocate(DType dtype, std::int64_t rows, std::int64_t cols) override {
    if (cols == seen_width_) seen.insert(rows);
    return device_->allocate(dtype, rows, cols);
  }
  WeightPtr prepare(const WeightSource& source) override { return device_->prepare(source); }
  WeightPtr prepare(std::span<const WeightSource> sources) override { return device_->prepare(sources); }
  Tensor prepare_table(const WeightSource& source) override { return device_->prepare_table(source); }
  std::unique_ptr<Queue> make_queue() override { return device_->make_queue(); }
  int decode_rows() const override { return device_->decode_rows(); }
  int max_decode_rows() const override { return device_->max_decode_rows(); }
  int product_rows() const override { return rows_; }

 private:
  std::unique_ptr<Backend> device_ = make_backend({.device = "reference"});
  int rows_;
  std::int64_t seen_width_;
};

}  // namespace

TEST_CASE("the rows of a product are the device's choice, and the logits do not depend on it") {
  const RandomModel files(4);
  const ModelConfig& c = files.config();
  const std::int64_t qkv_width = std::int64_t{c.n_heads + 2 * c.n_kv_heads} * c.head_dim;
  std::vector<std::int32_t> ids;
  for (std::int32_t i = 0; i < 22; ++i) ids.push_back(7 * i % c.vocab);
  Blocked whole(512, qkv_width), cut(5, qkv_width);
  const std::vector<float> expected = bare_logits(Model(files, whole), ids, true).values;
  const std::vector<float> got = bare_logits(Model(files, cut), ids, true).values;
  CHECK(whole.seen == std::set<std::int64_t>{22});
  CHECK(cut.seen == std::set<std::int64_t>{2, 5});
  CHECK(max_difference(got, expected) < 1e-4F);
}

TEST_CASE("memory is kept for the blocks of the device that takes the largest", "[card]") {
  const auto backend = make_backend({.device = tests_card() ? "cuda" : "cpu"});
  CHECK(backend->product_rows() >= 512);
  CHECK(backend->product_rows() <= Backend::most_product_rows);
  CHECK((backend->product_rows() == Backend::most_product_rows) == tests_card());
}
