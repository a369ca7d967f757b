#include "catch.h"
#include "core/error.h"
#include "core/utf8.h"

using namespace kvmend;

TEST_CASE("UTF-8 as RFC 3629 defines it") {
  CHECK(first_invalid_utf8("") == std::string_view::npos);
  CHECK(first_invalid_utf8("az\u00e9\u20ac\U0001F600") == std::string_view::npos);
  CHECK(first_invalid_utf8("\xf4\x8f\xbf\xbf\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80") == std::string_view::npos);
  // Alone, overlong, surrogate, past U+10FFFF, cut short.
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x82z", "\xc3"}) {
    CHECK(first_invalid_utf8(std::string("ab") + bad) == 2);
  }
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("\u20acx") == 3);
}

TEST_CASE("places count lines and characters") {
  const std::string text = "a\u00e9b\n\u20acc";
  CHECK(place_of(text, 0).column == 1);
  CHECK(place_of(text, 3).column == 3);
  CHECK(place_of(text, 5).line == 2);
  CHECK(place_of(text, 5).column == 1);
  CHECK(place_of(text, 8).column == 2);
  CHECK(is_char_boundary(text, 1));
  CHECK_FALSE(is_char_boundary(text, 2));
  CHECK(is_char_boundary(text, text.size()));
  CHECK_THROWS_WITH(check_utf8("ok\n\u00e9\xff", "f.txt"), "f.txt:2:2: not UTF-8 (byte 0xFF); convert the file first");
  CHECK_NOTHROW(check_utf8("ok", "f.txt"));
}
