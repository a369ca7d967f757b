// Who has to act on a cell's error: `select`, `bench` and `generate` end with it as their exit code.
#include <filesystem>
#include <functional>
#include <new>
#include <system_error>

#include "backend/device_error.h"
#include "catch.h"
#include "recompute/isolated.h"
#include "support/cell_case.h"
#include "support/random_model.h"

using namespace kvmend;
using namespace kvmend::test;

namespace {

class Failing final : public Selector {
 public:
  explicit Failing(std::function<void()> act) : act_(std::move(act)) {}
  Plan plan(Probe&, const Budget&) const override {
    act_();
    return {};
  }

 private:
  std::function<void()> act_;
};

/// A strategy that nobody registered.
CellSpec failing(const std::function<void()>& act, const std::string& plugin = "") {
  auto made = std::make_shared<Strategy>(*strategy("random"));
  made->selector = std::make_shared<Failing>(act);
  made->info.plugin = plugin;
  return {made, 0.5};
}

}  // namespace

TEST_CASE("a cell's error says who has to act on it") {
  const RandomModel files(4);
  Engine engine(files, {"cpu", DType::f32, 1});
  const Request request = random_request({12, 30}, true, 5);
  const auto kind = [&](const CellSpec& cell) {
    const Outcome outcome = run_request(engine, request, std::span(&cell, 1), {}).front();
    CHECK_FALSE(outcome.error.empty());
    try {
      run_isolated(engine, request, cell, {});
      FAIL("nothing was thrown");
    } catch (const Error& error) {
      CHECK(error.what() == outcome.error);
      CHECK(error.kind() == outcome.error_kind);
    }
    return outcome.error_kind;
  };
  CHECK(kind(failing([] { throw OutOfMemory("there is no room"); })) == ErrorKind::device);
  CHECK(kind(failing([] { throw std::bad_alloc(); })) == ErrorKind::device);
  CHECK(kind(failing([] { throw Error(ErrorKind::usage, "no such layer"); })) == ErrorKind::usage);
  CHECK(kind(failing([] { throw Error(ErrorKind::data, "a broken file"); })) == ErrorKind::data);
  CHECK(kind(failing([] { std::filesystem::current_path("/nowhere/at/all"); })) == ErrorKind::data);
  CHECK(kind(failing([] {
          throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
        })) == ErrorKind::device);
  CHECK(kind(failing([] { throw std::runtime_error("oops"); })) == ErrorKind::internal);
  CHECK(kind(failing([] { throw std::runtime_error("oops"); }, "mine.so")) == ErrorKind::usage);
  CHECK(kind(failing([] { throw OutOfMemory("there is no room"); }, "mine.so")) == ErrorKind::device);
}
