// What supervisor and worker say to each other, through a real pipe.
#include "experiment/run/wire.h"

#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "catch.h"
#include "support/same_result.h"

using namespace kvmend;

namespace {

/// A pipe's two ends: what is written comes out again, as far as a pipe holds it (64 KiB).
std::pair<int, int> make_pipe() {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  return {ends[0], ends[1]};
}

Outcome through_the_wire(const Outcome& outcome) {
  const auto [read_end, write_end] = make_pipe();
  const Wire wire(read_end, write_end);
  REQUIRE(wire.send(to_wire(outcome)));
  const auto message = wire.receive();
  REQUIRE(message);
  return outcome_from_wire(*message);
}

/// Every field its own value, so that no two can be mixed up.
Outcome full_outcome() {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  Outcome o;
  o.selected = {1, 5, 9};
  o.selected_per_layer = {{1, 5, 9}, {}, {5}};
  o.kept = {0, 1, 5};
  o.selected_query = {2, 3};
  o.order = {2, 0, 1};
  o.selected_original = {4, 6};
  o.decode_selected = {7, 8};
  o.decode_flops = 1e12;
  o.scores = {0.1F, nan, -infinity, 0, 1e-40F};  // not all float32 are short decimals, normal or finite
  o.exact_selected = 11;
  o.layer_tokens = (1LL << 40) + 1;
  o.effective_ratio = 0.1;
  o.flops = 1.0 / 3;
  o.flops_ratio = 0.7;
  o.bytes = 123456789012345;
  o.seconds = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
  o.first_token = 151643;
  o.prediction_ids = {3, 1, 4};
  o.decode_seconds = 0.9;
  o.error = "caf\u00e9: it failed";
  o.error_kind = ErrorKind::device;
  return o;
}

}  // namespace

TEST_CASE("an outcome comes out of the wire as it went in, bit for bit, NaN among the scores included") {
  const Outcome in = full_outcome(), out = through_the_wire(in);
  check_same_result(out, in);
  CHECK(out.selected_query == in.selected_query);
  CHECK(out.selected_original == in.selected_original);
  CHECK(out.decode_flops == in.decode_flops);
  REQUIRE(out.scores.size() == in.scores.size());
  for (std::size_t i = 0; i < in.scores.size(); ++i) {
    CAPTURE(i);
    CHECK((out.scores[i] == in.scores[i] || (std::isnan(out.scores[i]) && std::isnan(in.scores[i]))));
  }
  CHECK(out.exact_selected == in.exact_selected);
  CHECK(out.layer_tokens == in.layer_tokens);
  CHECK(out.effective_ratio == in.effective_ratio);
  CHECK(out.flops_ratio == in.flops_ratio);
  CHECK(out.bytes == in.bytes);
  CHECK(out.seconds.load == 0.1);
  CHECK(out.seconds.place == 0.2);
  CHECK(out.seconds.select == 0.3);
  CHECK(out.seconds.recompute == 0.4);
  CHECK(out.seconds.query == 0.5);
  CHECK(out.seconds.first_token == 0.6);
  CHECK(out.decode_seconds == in.decode_seconds);
  CHECK(out.error == in.error);
  CHECK(out.error_kind == in.error_kind);
}

TEST_CASE("what an outcome does not have is not there behind the wire, what is there and empty is") {
  const Outcome nothing = through_the_wire({});
  CHECK_FALSE(nothing.selected_per_layer);
  CHECK_FALSE(nothing.kept);
  CHECK_FALSE(nothing.selected_query);
  CHECK_FALSE(nothing.order);
  CHECK_FALSE(nothing.selected_original);
  CHECK(nothing.scores.empty());
  CHECK(nothing.error.empty());
  CHECK(nothing.error_kind == ErrorKind::internal);
  Outcome empty;
  empty.selected_per_layer.emplace();
  empty.kept.emplace();
  empty.selected_query.emplace();
  empty.order.emplace();
  empty.selected_original.emplace();
  const Outcome out = through_the_wire(empty);
  CHECK(out.selected_per_layer == empty.selected_per_layer);
  CHECK(out.kept == empty.kept);
  CHECK(out.selected_query == empty.selected_query);
  CHECK(out.order == empty.order);
  CHECK(out.selected_original == empty.selected_original);
}

TEST_CASE("messages come in the order that they were sent in; one that breaks off, or is none, is the end") {
  const auto [read_end, write_end] = make_pipe();
  const Wire wire(read_end, write_end);
  REQUIRE(wire.send({{"op", "cell"}, {"cell", 3}}));
  REQUIRE(wire.send(nlohmann::json::object()));
  CHECK(wire.receive() == nlohmann::json({{"op", "cell"}, {"cell", 3}}));
  CHECK(wire.receive() == nlohmann::json::object());
  const std::uint64_t one = 1;
  const char never = static_cast<char>(0xC1);  // the byte that MessagePack never uses
  REQUIRE(::write(write_end, &one, sizeof one) == sizeof one);
  REQUIRE(::write(write_end, &never, 1) == 1);
  CHECK_FALSE(wire.receive());
  for (const std::size_t length : {0, 3, 8, 10}) {  // nothing, part of the length, the length, part of the message
    CAPTURE(length);
    const auto [from, to] = make_pipe();
    const std::uint64_t size = 5;
    char bytes[16] = {};
    std::copy_n(reinterpret_cast<const char*>(&size), sizeof size, bytes);
    REQUIRE(::write(to, bytes, length) == static_cast<ssize_t>(length));
    ::close(to);
    const Wire cut(from, ::dup(write_end));
    CHECK_FALSE(cut.receive());
  }
}

TEST_CASE("sending says when nobody is there to receive") {
  const auto before = ::signal(SIGPIPE, SIG_IGN);  // as the program does
  const auto [read_end, write_end] = make_pipe();
  const auto [other_read, other_write] = make_pipe();
  ::close(read_end);
  ::close(other_write);
  const Wire wire(other_read, write_end);
  CHECK_FALSE(wire.send({{"op", "ready"}}));
  ::signal(SIGPIPE, before);
}
