#include "catch.h"
#include "core/params.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

enum class Colour : std::uint8_t { red, green };

struct Sample {
  int window = 8;
  double weight = 0.5;
  bool on = false;
  Colour colour = Colour::green;
  std::string name = "x";
  std::optional<int> k;
  std::vector<int> layers{1, 2};
  std::uint8_t small = 1;
  template <class V>
  static void fields(Sample& p, V& v) {
    v("window", p.window, "tokens", between(1, 64));
    v("weight", p.weight, "share", at_least(0));
    v("on", p.on, "switch");
    v("colour", p.colour, "which");
    v("name", p.name, "label");
    v("k", p.k, "count", at_least(1));
    v("layers", p.layers, "which layers");
    v("small", p.small, "a byte");
  }
};

Value with(const char* key, Value value) {
  Value map{Value::Map{}};
  value.where = {"c.yaml", 4, 9};
  map.set(key, std::move(value));
  map.map().back().where = {"c.yaml", 4, 2};
  return map;
}

/// The messages of reading one wrong entry.
std::string message(const char* key, Value value) {
  Sample sample;
  ParamErrors errors;
  read_params(sample, with(key, std::move(value)), errors);
  CHECK(errors.messages.size() == 1);
  CHECK(print_params(sample).canonical() == print_params(Sample{}).canonical());  // nothing half-read
  return errors.messages.empty() ? "" : errors.messages[0];
}

}  // namespace

template <>
struct kvmend::EnumNames<Colour> {
  static constexpr std::array names{std::pair{Colour::red, "red"}, std::pair{Colour::green, "green"}};
};

TEST_CASE("what is printed reads back as the same") {
  Sample sample{3, 0.25, true, Colour::red, "y", 7, {4}, 255};
  Sample read;
  ParamErrors errors;
  const Value printed = print_params(sample);
  read_params(read, printed, errors);
  CHECK(errors.messages.empty());
  CHECK(print_params(read).canonical() == printed.canonical());
  CHECK(read.small == 255);
  CHECK(read.k == 7);
}

TEST_CASE("nothing given is all defaults, and null unsets an optional") {
  Sample sample;
  ParamErrors errors;
  read_params(sample, Value(), errors);
  CHECK(sample.window == 8);
  sample.k = 3;
  read_params(sample, with("k", Value()), errors);
  CHECK_FALSE(sample.k);
  CHECK(errors.messages.empty());
}

TEST_CASE("each kind of wrong parameter is named with its place") {
  CHECK_THAT(message("windwo", 3), Contains("c.yaml:4:2: unknown parameter 'windwo'") && Contains("'window'"));
  CHECK_THAT(message("window", "a"), Contains("c.yaml:4:9: expected an integer"));
  CHECK_THAT(message("colour", "gren"), Contains("c.yaml:4:9") && Contains("one of red, green") && Contains("'green'"));
  CHECK_THAT(message("small", 256), Contains("256 does not fit"));
  CHECK_THAT(message("small", -1), Contains("-1 does not fit"));
  CHECK_THAT(message("layers", 3), Contains("expected a list"));
}

TEST_CASE("a value out of its range is said with the range") {
  Sample sample;
  const auto said = [&](const char* key, Value value) {
    ParamErrors errors;
    read_params(sample, with(key, std::move(value)), errors);
    CHECK(print_params(sample).canonical() == print_params(Sample{}).canonical());  // the default stays
    return errors.messages.size() == 1 ? errors.messages[0] : "";
  };
  CHECK(said("window", 0) == "c.yaml:4:9: window is 0, must be between 1 and 64");
  CHECK(said("window", 65) == "c.yaml:4:9: window is 65, must be between 1 and 64");
  CHECK(said("weight", -0.5) == "c.yaml:4:9: weight is -0.5, must be at least 0");
  CHECK(said("weight", std::numeric_limits<double>::quiet_NaN()) == "c.yaml:4:9: weight is NaN, must be at least 0");
  CHECK(said("k", 0) == "c.yaml:4:9: k is 0, must be at least 1");
}

TEST_CASE("all errors are reported at once") {
  Sample sample;
  ParamErrors errors;
  Value map = with("window", "a");
  map.set("on", 3);
  map.set("nonsense", 1);
  read_params(sample, map, errors);
  REQUIRE(errors.messages.size() == 3);
  CHECK(errors.messages[0] == "c.yaml:4:9: expected an integer, found a string (a)");
  CHECK(errors.messages[1] == "expected true or false, found an integer (3)");
  CHECK(errors.messages[2] ==
        "unknown parameter 'nonsense'; known: window, weight, on, colour, name, k, layers, small");
}

TEST_CASE("the listing has every field with type, default and help") {
  const auto infos = list_params<Sample>();
  REQUIRE(infos.size() == 8);
  CHECK(infos[0].name == "window");
  CHECK(infos[0].default_value == "8");
  CHECK(infos[3].type == "one of red|green");
  CHECK(infos[3].default_value == "green");
  CHECK(infos[5].type == "int");
  CHECK(infos[6].type == "list of int");
  CHECK(infos[6].is_list);
  CHECK_FALSE(infos[0].is_list);
}
