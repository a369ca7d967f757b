// The machine's peak, which shares of it are divided by.
#include "backend/cuda/units.h"
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

TEST_CASE("a card's units give its data sheet's peak, and a GeForce's half of its chip's") {
  struct Card {
    int capability;
    const char* name;
    double multiprocessors, gigahertz, teraflops;
  };
  for (const Card& card : {Card{80, "NVIDIA A100-SXM4-80GB", 108, 1.41, 312},
                           {86, "NVIDIA A10", 72, 1.695, 125},
                           {86, "NVIDIA GeForce RTX 3090", 82, 1.695, 71},
                           {89, "NVIDIA L40S", 142, 2.52, 362},
                           {89, "NVIDIA GeForce RTX 4090", 128, 2.52, 165},
                           {90, "NVIDIA H100 80GB HBM3", 132, 1.83, 989},
                           {120, "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", 188, 2.617, 504},
                           {120, "NVIDIA GeForce RTX 5090", 170, 2.407, 209.5}}) {
    CAPTURE(card.name);
    const double flops = cuda::units_of(card.capability, card.name).bf16 * card.multiprocessors * card.gigahertz * 1e9;
    CHECK(flops == Approx(card.teraflops * 1e12).epsilon(0.02));
  }
  CHECK(cuda::units_of(121, "NVIDIA GB10").bf16 == 1024);  // as the newest below it
  CHECK(cuda::units_of(80, "").float32 == 128);
}
