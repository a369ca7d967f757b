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

double t95(int degrees) {
  const double z = z95, z2 = z * z, v = degrees;
  const double terms[] = {z * (1 + z2) / 4, z * (3 + z2 * (16 + z2 * 5)) / 96,
                          z * (-15 + z2 * (17 + z2 * (19 + z2 * 3))) / 384,
                          z * (-945 + z2 * (-1920 + z2 * (1482 + z2 * (776 + z2 * 79)))) / 92160};
  return z + (terms[0] + (terms[1] + (terms[2] + terms[3] / v) / v) / v) / v;
}

}  // namespace kvmend
