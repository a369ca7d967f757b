#include "catch.h"
#include "core/error.h"
#include "core/value.h"
#include "support/value_map.h"

using namespace kvmend;
using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("canonical JSON sorts keys at every depth and keeps lists in order") {
  const Value inner = map({{"z", 1}, {"a", Value::List{3, 2, 1}}});
  CHECK(map({{"b", inner}, {"a", true}}).canonical() == R"({"a":true,"b":{"a":[3,2,1],"z":1}})");
  CHECK(map({{"x", 1}, {"y", 2}}).canonical() == map({{"y", 2}, {"x", 1}}).canonical());
  CHECK(Value().canonical() == "null");
}

TEST_CASE("canonical JSON escapes what would break it") {
  CHECK(Value("a\"b\\c\n\t\x01").canonical() == R"("a\"b\\c\n\t\u0001")");
  CHECK(map({{"k\"", 1}}).canonical() == R"({"k\"":1})");
}

TEST_CASE("numbers are written as the shortest text that reads back") {
  CHECK(format_number(0.1) == "0.1");
  CHECK(format_number(3) == "3");
  CHECK(format_number(1e-5) == "1e-05");
  CHECK(format_number(0.1 + 0.2) == "0.30000000000000004");
  CHECK(std::stod(format_number(1.0 / 3)) == 1.0 / 3);
}

TEST_CASE("flow is what a user would type, in the order written") {
  CHECK(map({{"fusion", "max"}, {"k", 2}}).flow() == "{fusion: max, k: 2}");
  CHECK(Value(Value::List{1, "two", 3.5}).flow() == "[1, two, 3.5]");
  CHECK(Value("true").flow() == "\"true\"");
  CHECK(Value("12").flow() == "\"12\"");
  CHECK(Value("a, b").flow() == "\"a, b\"");
  CHECK(Value("").flow() == "\"\"");
}

TEST_CASE("a value of another type is refused with its place and what was found") {
  Value value("text");
  value.where = {"x.yaml", 3, 7};
  for (const auto& read :
       {+[](const Value& v) { static_cast<void>(v.as_int()); }, +[](const Value& v) { static_cast<void>(v.as_bool()); },
        +[](const Value& v) { static_cast<void>(v.as_number()); },
        +[](const Value& v) { static_cast<void>(v.as_list()); },
        +[](const Value& v) { static_cast<void>(v.as_map()); }}) {
    CHECK_THROWS_WITH(read(value), Contains("x.yaml:3:7: expected ") && Contains("text"));
  }
  CHECK_THROWS_WITH(Value().as_string(), Contains("found nothing"));
  CHECK(Value(2).as_number() == 2.0);
  CHECK_THROWS_AS(Value(2.5).as_int(), Error);
}

TEST_CASE("set adds and replaces, erase removes, find sees maps only") {
  Value value;
  value.set("a", 1);
  value.set("b", 2);
  value.set("a", 3);
  CHECK(value.as_map().size() == 2);
  CHECK(value.find("a")->as_int() == 3);
  value.erase("a");
  value.erase("none");
  CHECK(value.find("a") == nullptr);
  CHECK(Value(1).find("a") == nullptr);
  CHECK(Value(Value::List{1}).find("a") == nullptr);
}

TEST_CASE("a place is printed with what is known of it") {
  CHECK(Location{}.prefix().empty());
  CHECK(Location{"f", 0, 0}.prefix() == "f: ");
  CHECK(Location{"f", 2, 0}.prefix() == "f:2: ");
  CHECK(Location{"f", 2, 5}.prefix() == "f:2:5: ");
}
