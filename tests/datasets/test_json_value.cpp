#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "datasets/json_value.h"

using namespace kvmend;

namespace {

std::string error_of(const std::string& text) {
  try {
    parse_json(text, "f");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "no error";
}

std::string place(const Value& value) {
  return std::to_string(value.where.line) + ":" + std::to_string(value.where.column);
}

}  // namespace

TEST_CASE("JSON becomes values that know where they stood") {
  const Value v = parse_json("{\"a\": [1, -2.5,\n  \"x\\n\", true, null],\n\"b\":{\"c\" : {}} , \"d\":[[],3]}", "f");
  CHECK(v.canonical() == R"({"a":[1,-2.5,"x\n",true,null],"b":{"c":{}},"d":[[],3]})");
  CHECK(place(v) == "1:1");
  const auto& a = v.find("a")->as_list();
  CHECK(place(*v.find("a")) == "1:7");
  CHECK(place(a[0]) == "1:8");
  CHECK(place(a[1]) == "1:11");
  CHECK(place(a[2]) == "2:3");
  CHECK(place(a[3]) == "2:10");
  CHECK(place(a[4]) == "2:16");
  CHECK(v.as_map()[1].where.line == 3);
  CHECK(v.as_map()[1].where.column == 1);
  CHECK(place(*v.find("b")) == "3:5");
  CHECK(place(*v.find("b")->find("c")) == "3:12");
  CHECK(place(v.find("d")->as_list()[1]) == "3:26");
  CHECK(parse_json(" 7 ", "f").as_int() == 7);
  CHECK(parse_json("7", "f", 31).where.line == 31);
  CHECK(parse_json("9223372036854775807", "f").as_int() == 9223372036854775807);
}

TEST_CASE("what is no JSON is refused with its place") {
  CHECK(error_of("{\"a\": 1,\n \"a\": 2}") == "f:2:2: duplicate key 'a'");
  CHECK(parse_json("99999999999999999999", "f").as_number() == 1e20);  // past 64 bits a number is a double
  CHECK(error_of("[9223372036854775808]") == "f:1:2: 9223372036854775808 does not fit 64 bits");
  CHECK(error_of("[1, 2").find("f:1:6: no valid JSON") == 0);
  CHECK(error_of("[1,, 2]").find("f:1:4: no valid JSON") == 0);
  CHECK(error_of("{\"a\": \"\xff\"}").find("f:1:8: no valid JSON") == 0);
  CHECK(error_of("\n\n  nul").find("f:3:") == 0);
  CHECK(error_of("[1] x").find("f:1:5: no valid JSON") == 0);
  CHECK(error_of("").find("f:1:1: no valid JSON") == 0);
  CHECK(error_of("[1e999]").find("f:1:") == 0);
}

TEST_CASE("hostile nesting is refused, not run out of stack with") {
  CHECK(error_of(std::string(200, '[')) == "f:1:101: nested deeper than 100 levels");
  CHECK(error_of(std::string(1000000, '[')) == "f:1:101: nested deeper than 100 levels");
  std::string maps;
  for (int i = 0; i < 200; ++i) maps += "{\"a\":";
  CHECK(error_of(maps).find("nested deeper than 100 levels") != std::string::npos);
}

TEST_CASE("random bytes never do more than throw") {
  Random random(5);
  const std::string letters = "{}[]\",:0123e-+. \ntruefalsn\\u\xc3\xa9\xff";
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::int64_t n = random.between(0, 24); n > 0; --n) text += random.pick(letters);
    try {
      parse_json(text, "f");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::data);
    }
  }
}
