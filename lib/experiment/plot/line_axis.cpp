#include "experiment/plot/line_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kvmend {

LineAxis::LineAxis(AxisOf of, const std::vector<Series>& series, double width, double edge) : of_(of), width_(width) {
  double lo = 0, hi = 0;
  bool first = true;
  for (const Series& s : series) {
    const bool is_set = of != AxisOf::amounts && !s.measured;
    order_.push_back(is_set ? std::optional(count_++) : std::nullopt);
    for (const Point& p : s.points) {
      const double x = scaled(p.x);
      lo = first ? x : std::min(lo, x);
      hi = first ? x : std::max(hi, x);
      first = false;
      if (is_set) settings_.insert(p.x);
    }
  }
  if (of == AxisOf::amounts) {
    per_inch_ = (hi > 0 ? 1.04 * hi : 1) / width;
    return;
  }
  constexpr double margin = 0.25;
  const double span = hi - lo, room = std::max(width - edge - 2 * margin, width / 4);
  double gap = room;  // between neighbouring settings
  for (auto x = settings_.begin(); span > 0 && x != settings_.end() && std::next(x) != settings_.end(); ++x)
    gap = std::min(gap, room * (scaled(*std::next(x)) - scaled(*x)) / span);
  if (count_ > 1) step_ = std::min(span > 0 ? 0.12 : 0.6, 0.7 * gap / static_cast<double>(count_));
  const double beside = margin + step_ * static_cast<double>(std::max<std::size_t>(count_, 1) - 1) / 2;
  if (span > 0) per_inch_ = span / std::max(width - edge - 2 * beside, width / 4);
  from_ = span > 0 ? lo - beside * per_inch_ : lo - (width - edge) / 2 * per_inch_;
}

double LineAxis::scaled(double x) const { return of_ == AxisOf::doublings ? std::log2(x) : x; }
double LineAxis::unscaled(double x) const { return of_ == AxisOf::doublings ? std::exp2(x) : x; }

double LineAxis::inches(double x) const { return (scaled(x) - from_) / per_inch_; }
double LineAxis::x_at(double inches) const { return unscaled(from_ + inches * per_inch_); }
double LineAxis::moved(double x, double inches) const {
  return inches == 0 ? x : unscaled(scaled(x) + inches * per_inch_);
}

double LineAxis::aside(std::size_t series) const {
  if (!order_[series]) return 0;
  return (static_cast<double>(*order_[series]) - static_cast<double>(count_ - 1) / 2) * step_;
}

std::string LineAxis::commands(double letter) const {
  std::string tics;
  double end = 0;  // of the last label
  for (const double x : settings_) {
    const std::string label = fmt::format("{:.6g}", x);
    const double half = static_cast<double>(label.size() + 1) * letter / 2;
    if (!tics.empty() && inches(x) - half < end) continue;
    tics += fmt::format("{}'{}' {:.10g}", tics.empty() ? "" : ", ", label, x);
    end = inches(x) + half;
  }
  return fmt::format("{}{}set xrange [{:.6g}:{:.6g}]\n", of_ == AxisOf::doublings ? "set logscale x 2\n" : "",
                     tics.empty() ? "" : fmt::format("set xtics ({})\n", tics), x_at(0), x_at(width_));
}

}  // namespace kvmend
