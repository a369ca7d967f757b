#pragma once

namespace kvmend {

inline constexpr double z95 = 1.959963984540054;  ///< Φ⁻¹(0.975)
inline constexpr double z80 = 0.841621233572914;  ///< Φ⁻¹(0.80)

/// The standard normal distribution's Φ.
double normal_cdf(double z);
/// Φ⁻¹ to double precision; ±infinity at 0 and 1.
double normal_quantile(double p);

/// The 0.975 quantile of Student's t (Abramowitz, Stegun 26.7.5): within 0.1 % from five degrees of freedom on.
double t95(int degrees);

}  // namespace kvmend
