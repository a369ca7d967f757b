#include "catch.h"
#include "core/progress.h"

using namespace kvmend;

TEST_CASE("what is left is reckoned by cost, not by count") {
  // A third of the cells in a minute, but they were a tenth of the work.
  CHECK(progress_text(10, 30, "cells", 0.1, 60, "ruler/vt sample 4") ==
        "10/30 cells  0.17/s  9m00s left  ruler/vt sample 4");
  CHECK(progress_text(0, 30, "cells", 0, 5, "ruler/vt sample 0") == "0/30 cells  ruler/vt sample 0");
  CHECK(progress_text(10, 30, "cells", 0.5, 10, "ruler/vt sample 4: epic at 0.2", "1/3 samples") ==
        "10/30 cells  1/3 samples  1.00/s  10s left  ruler/vt sample 4: epic at 0.2");
  CHECK(progress_text(30, 30, "cells", 1, 60, "end") == "30/30 cells  0.50/s  0s left  end");
  CHECK(format_duration(3723) == "1h02m");
}
