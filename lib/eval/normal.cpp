#include "eval/normal.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace kvmend {

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  if (p > 0.5) return -normal_quantile(1 - p);
  // Abramowitz, Stegun 26.2.23 (4.5e-4), then Halley's steps: each triples the digits.
  const double t = std::sqrt(-2 * std::log(p));
  double z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int step = 0; step < 3; ++step) {
    const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
    const double u = (normal_cdf(z) - p) / density;
    z -= u / (1 + 0.5 * z * u);
  }
  return z;
}

}  // namespace kvmend
