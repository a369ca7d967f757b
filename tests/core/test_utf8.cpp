#include "catch.h"
#include "core/error.h"
#include "core/utf8.h"

using namespace kvmend;

TEST_CASE("UTF-8 as RFC 3629 defines it") {
  for (const std::string_view good :
       {"", "az\u00e9\u20ac\U0001F600", "\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80"}) {
    CHECK(utf8::find_invalid(good) == good.size());
  }
  // Alone, overlong, surrogate, past U+10FFFF, cut short.
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x82z", "\xc3"}) {
    CHECK(utf8::find_invalid(std::string("ab") + bad) == 2);
    CHECK(utf8::find_invalid(std::string(13, 'a') + bad) == 13);  // eight letters at a time
    CHECK(utf8::decode(bad, 0).length == 0);
  }
  CHECK(utf8::decode("", 0).length == 0);
  CHECK(utf8::decode("\u20acx", 0).length == 3);
  CHECK(utf8::decode("x\u20ac", 1).code_point == 0x20ac);
}

TEST_CASE("code points are written as they are read") {
  for (const char32_t c : {0x0U, 0x7fU, 0x80U, 0x7ffU, 0x800U, 0xd7ffU, 0xe000U, 0xffffU, 0x10000U, 0x10ffffU}) {
    std::string text = "a";
    utf8::append(text, c);
    CHECK(utf8::find_invalid(text) == text.size());
    CHECK(utf8::decode(text, 1).code_point == c);
    CHECK(utf8::last_before(text, text.size()) == c);
    CHECK(utf8::count(text) == 2);
  }
}

TEST_CASE("places count lines and characters") {
  const std::string text = "a\u00e9b\n\u20acc";
  CHECK(utf8::count("") == 0);
  CHECK(utf8::count(text) == 6);
  CHECK(utf8::floor_boundary(text, 1) == 1);
  CHECK(utf8::floor_boundary(text, 2) == 1);
  CHECK(utf8::ceil_boundary(text, 1) == 1);
  CHECK(utf8::ceil_boundary(text, 2) == 3);
  CHECK(utf8::floor_boundary(text, text.size()) == text.size());
  CHECK(utf8::ceil_boundary(text, text.size()) == text.size());
  CHECK_THROWS_WITH(utf8::check("ok\n\u00e9\xff", "f.txt"), "f.txt:2:2: not UTF-8 (byte 0xFF); convert the file first");
  CHECK_THROWS_WITH(utf8::check("\u00e9\n\xff", "f.txt"), "f.txt:2:1: not UTF-8 (byte 0xFF); convert the file first");
  CHECK_NOTHROW(utf8::check("ok", "f.txt"));
}
