#pragma once
// How far apart numbers are, as every test measures it: std::max(worst, NaN) is worst, so a loop of it finds logits that
// are NaN throughout equal to anything.
#include <cmath>
#include <cstddef>

#include "catch.h"

namespace kvmend::test {

/// The largest |a − b| of the pairs it was shown. A NaN among them stays, and no comparison holds with that.
class LargestDifference {
 public:
  void add(double a, double b) {
    if (a == b) return;  // equal infinities too
    const double difference = std::abs(a - b);
    if (std::isnan(largest_) || difference <= largest_) return;
    largest_ = difference;
  }
  double value() const { return largest_; }

 private:
  double largest_ = 0;
};

/// Of two containers of numbers, which must be equally long. The second may be a list in braces.
template <class A, class B = A>
double largest_difference(const A& a, const B& b) {
  REQUIRE(a.size() == b.size());
  LargestDifference largest;
  for (std::size_t i = 0; i < a.size(); ++i) largest.add(static_cast<double>(a[i]), static_cast<double>(b[i]));
  return largest.value();
}

}  // namespace kvmend::test
