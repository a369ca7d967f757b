#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "experiment/config/yaml_reader.h"

using namespace kvmend;

namespace {

std::string error_of(const std::string& text, const YamlLimits& limits = {}) {
  try {
    read_yaml(text, "x.yaml", limits);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("text that is written as flow reads back as the same text, whatever YAML would make of the bare word") {
  for (const char* text :
       {"True",  "TRUE", "false", "NULL",    "Null", "~",       ".inf", "-.Inf", "+.INF", ".NaN",
        "0x10",  "0o7",  "+5",    "5",       "-5",   ".5",      "5.",   "1e5",   "+1e-5", "99999999999999999999",
        "1e999", "",     " a",    "a: b",    "it's", "a \"b\"", "x",    "0.5b",  "on",    "No",
        "+",     "0",    "007",   "a/b.gguf"}) {
    CAPTURE(text);
    const Value read = read_yaml("k: " + Value(text).flow(), "x.yaml");
    REQUIRE(read.find("k")->is_string());
    CHECK(read.find("k")->as_string() == text);
  }
}

TEST_CASE("plain scalars follow YAML 1.2's core schema") {
  const Value v = read_yaml(R"(
int: 42
hex: 0x10
oct: 0o17
neg: -7
exp: 1e-3
dot: .5
tail: 3.
inf: -.inf
nan: .NaN
yes: yes
on_word: on
no_word: no
bool: true
Bool: False
nothing: ~
empty:
quoted: "12"
single: 'true'
date: 2024-01-01
sexagesimal: 1:30
underscore: 1_000
version: 1.2.3
plus: +5
colon: a:b
)",
                            "x.yaml");
  CHECK(v.find("int")->as_int() == 42);
  CHECK(v.find("hex")->as_int() == 16);
  CHECK(v.find("oct")->as_int() == 15);
  CHECK(v.find("neg")->as_int() == -7);
  CHECK(v.find("plus")->as_int() == 5);
  CHECK_FALSE(v.find("exp")->is_int());
  CHECK(v.find("exp")->as_number() == 1e-3);
  CHECK(v.find("dot")->as_number() == 0.5);
  CHECK(v.find("tail")->as_number() == 3.0);
  CHECK(std::isinf(v.find("inf")->as_number()));
  CHECK(v.find("inf")->as_number() < 0);
  CHECK(std::isnan(v.find("nan")->as_number()));
  for (const char* key :
       {"yes", "on_word", "no_word", "quoted", "single", "date", "sexagesimal", "underscore", "version", "colon"}) {
    INFO(key);
    CHECK(v.find(key)->is_string());
  }
  CHECK(v.find("bool")->as_bool());
  CHECK_FALSE(v.find("Bool")->as_bool());
  CHECK(v.find("nothing")->is_null());
  CHECK(v.find("empty")->is_null());
}

TEST_CASE("numbers that 64 bits cannot hold are errors, not roundings") {
  CHECK(read_yaml("9223372036854775807", "x").as_int() == INT64_MAX);
  CHECK(read_yaml("-9223372036854775808", "x").as_int() == INT64_MIN);
  CHECK(error_of("a: 9223372036854775808") ==
        "x.yaml:1:4: the integer 9223372036854775808 does not fit 64 bits; quote it if it is text");
  CHECK(error_of("a: 1e999").find("x.yaml:1:4: the number 1e999") == 0);
}

TEST_CASE("every value and key knows its line and column, in characters") {
  const Value v = read_yaml("\xEF\xBB\xBF# comment\r\nname: x\r\nü: é\nlist:\n  - a\n  - {k: [1, 2]}\n", "c.yaml");
  CHECK(v.find("name")->where.prefix() == "c.yaml:2:7: ");
  CHECK(v.as_map()[1].where.prefix() == "c.yaml:3:1: ");
  CHECK(v.find("ü")->where.prefix() == "c.yaml:3:4: ");
  const Value& item = v.find("list")->as_list()[1];
  CHECK(item.where.prefix() == "c.yaml:6:5: ");
  CHECK(item.find("k")->as_list()[1].where.prefix() == "c.yaml:6:13: ");
}

TEST_CASE("quotes, block scalars and anchors are read as YAML means them") {
  const Value v = read_yaml(
      "a: &x {k: 1}\nb: *x\nc: |\n  one\n  two\nd: 'it''s'\ne: \"\\u00e9\\n\"\nf: !!str 5\ng: &y 'q'\n", "x.yaml");
  CHECK(v.find("b")->find("k")->as_int() == 1);
  CHECK(v.find("b")->where.prefix() == "x.yaml:2:4: ");
  CHECK(v.find("c")->as_string() == "one\ntwo\n");
  CHECK(v.find("d")->as_string() == "it's");
  CHECK(v.find("e")->as_string() == "é\n");
  CHECK(v.find("f")->as_string() == "5");
  CHECK(v.find("g")->as_string() == "q");
  CHECK(read_yaml("", "x").is_null());
  CHECK(read_yaml("# nothing\n", "x").is_null());
  CHECK(read_yaml("%YAML 1.2\n---\na: 1\n...\n", "x").find("a")->as_int() == 1);
}

TEST_CASE("what YAML would swallow is an error with its place") {
  CHECK(error_of("a: 1\nb: 2\na: 3\n") == "x.yaml:3:1: duplicate key 'a': it stands at line 1 already");
  CHECK(error_of("m: {x: 1, x: 2}") == "x.yaml:1:11: duplicate key 'x': it stands at line 1 already");
  CHECK(error_of("1: a") == "x.yaml:1:1: a key must be a string, found an integer (1): write \"1\"");
  CHECK(error_of("true: a").find("a key must be a string") != std::string::npos);
  CHECK(error_of("? [a]\n: b\n").find("x.yaml:1:3: a key must be a string, found a list") == 0);
  CHECK(error_of(": b\n").find("a key must be a string, found nothing") != std::string::npos);
  CHECK(error_of("a:\n\tb: 1\n") == "x.yaml:2:1: a tab in the indentation; YAML indents with spaces");
  CHECK(error_of("a: 1\n---\nb: 2\n").find("x.yaml:2:1: expected the end of the file") == 0);
  CHECK(error_of("- a\nb: 1\n").find("x.yaml:2:1: expected the end of the file") == 0);
  CHECK(error_of("a: \"open\nb: 1\n") == "x.yaml:1:4: the quote \" is never closed");
  CHECK(error_of("a: 'open\n") == "x.yaml:1:4: the quote ' is never closed");
  CHECK(error_of("a: !!str \"open\n") == "x.yaml:1:10: the quote \" is never closed");
  CHECK(error_of("a: !thing x\n") == "x.yaml:1:4: the tag !thing is not understood; only !!str is");
  CHECK(error_of("a: &x [*x]\n").find("an alias cannot stand inside what it names") != std::string::npos);
  CHECK(error_of("a: *none\n").find("x.yaml:1:4: ") == 0);
}

TEST_CASE("syntax errors say where and what to look for") {
  CHECK(error_of("a: b: c\n") == "x.yaml:1:5: ':' is not expected here; quote the text, or check the indentation");
  CHECK(error_of("a: [1, 2\n").find("x.yaml:2:1: a ']' or ',' is missing") == 0);
  CHECK(error_of("a: {b: 1\nc: 2\n").find("a '}' or ',' is missing") != std::string::npos);
  CHECK(error_of("a: ]\n") == "x.yaml:1:4: a closing bracket without its opening one");
  CHECK(error_of("a: @x\n").find("x.yaml:1:4: ") == 0);
  CHECK(error_of("a:\n  - b: 1\n   c: 2\n").find("x.yaml:3:4: ") == 0);
  CHECK(error_of("a: \"\\q\"\n").find("x.yaml:1:") == 0);
}

TEST_CASE("bytes that are no text are refused") {
  CHECK(error_of("a: \xff\n") == "x.yaml:1:4: invalid UTF-8 (byte 0xff); save the file as UTF-8");
  CHECK(error_of("a: \xc0\xaf\n").find("invalid UTF-8") != std::string::npos);
  CHECK(error_of("a: \xed\xa0\x80\n").find("invalid UTF-8") != std::string::npos);
  CHECK(error_of("a: \xe2\x82").find("invalid UTF-8") != std::string::npos);
  CHECK(error_of(std::string("a\0b", 3)).find("NUL") != std::string::npos);
  CHECK(error_of("a: \x01\n").find("control character 0x01") != std::string::npos);
}

TEST_CASE("hostile documents end in an error, not in memory") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j ? ", " : "", i - 1);
    bomb += "]\n";
  }
  CHECK(error_of(bomb).find("more than 100000 values (aliases counted in full)") != std::string::npos);
  CHECK(error_of(std::string(100000, '[')).find("nested deeper than 64 levels") != std::string::npos);
  CHECK(error_of(std::string(100000, '{')).find("nested deeper than 64 levels") != std::string::npos);
  std::string dashes;
  for (int i = 0; i < 1000; ++i) dashes += "- ";
  CHECK(error_of(dashes).find("nested deeper than 64 levels") != std::string::npos);
  CHECK(error_of(std::string(100, 'x'), {.bytes = 99}).find("larger than 99 bytes") != std::string::npos);
}

TEST_CASE("a file that cannot be read is the caller's error") {
  try {
    read_yaml_file("/nonexistent/x.yaml");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(std::string(error.what()).find("/nonexistent/x.yaml") != std::string::npos);
  }
}
