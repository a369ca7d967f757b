// The machine's peak, which shares of it are divided by.
#include "device.h"

using namespace kvmend;
using namespace kvmend::test;

TEST_CASE("the CPU measures its peak in both types") {
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  Device d("cpu", dtype);
  const Peak peak = d.backend->measure_peak();
  CHECK(peak.bytes > 1e8);  // the slowest memory that runs this at all
  CHECK(peak.flops > 1e8);
}

TEST_CASE("a backend that measures no peak says nothing") {
  Device d("reference");
  CHECK(d.backend->measure_peak().flops == 0);
  CHECK(d.backend->measure_peak().bytes == 0);
}
