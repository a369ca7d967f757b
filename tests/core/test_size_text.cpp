#include "catch.h"
#include "core/size_text.h"

using namespace kvmend;

TEST_CASE("a size is said in the largest unit of which there is one") {
  CHECK(size_text(0) == "0.0 KiB");
  CHECK(size_text(12 << 10) == "12.0 KiB");
  CHECK(size_text((1 << 20) - 1) == "1024.0 KiB");
  CHECK(size_text(std::size_t{300} << 20U) == "300.0 MiB");
  CHECK(size_text(std::int64_t{3} << 29) == "1.5 GiB");
  CHECK(size_text(1.25 * (1 << 20)) == "1.2 MiB");
}
