// Into how many parts attention cuts its keys.
#include "backend/cuda/key_parts.h"

#include "catch.h"

using kvmend::cuda::key_parts;

TEST_CASE("few blocks are cut until they fill the card, at most one part for 512 keys") {
  const int h100 = 2 * 132, a100 = 2 * 108;
  CHECK(key_parts(8, h100, 8192, 4) >= 15);  // one row of a model of 8 KV heads
  CHECK(key_parts(8, h100, 1023, 4) == 1);
  CHECK(key_parts(8, h100, 131072, 4) >= 31);
  CHECK(key_parts(8, h100, 0, 4) == 1);
  CHECK(key_parts(128, h100, 8192, 128) == 2);  // 512 rows of 32 heads
  CHECK(key_parts(128, a100, 8192, 128) == 3);
}

TEST_CASE("blocks that fill the card are not cut, nor where the parts' results would cost more") {
  CHECK(key_parts(264, 264, 8192, 128) == 1);
  CHECK(key_parts(5000, 264, 131072, 128) == 1);
  CHECK(key_parts(200, 264, 1100, 128) == 1);
}
