#include "apps/kvmend/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/statistics.h"
#include "experiment/table/cells.h"

namespace kvmend {

std::string case_name(const BenchCase& c) {
  return c.strategy.empty() ? c.name
         : c.ratio < 0      ? fmt::format("{} {}", c.name, c.strategy)
                            : fmt::format("{} {} {}", c.name, c.strategy, c.ratio);
}

double median(std::vector<double> values) { return select_quantile(values, 0.5); }

double offline_seconds(const BenchCase& c) { return std::max(0.0, c.cold_seconds - median(c.wall_seconds)); }

namespace {

void print_json(const BenchSetting& setting, const BenchCase& c) {
  const auto [low, high] = std::minmax_element(c.seconds.begin(), c.seconds.end());
  nlohmann::ordered_json out{
      {"case", c.name},         {"model", setting.model}, {"device", setting.device}, {"threads", setting.threads},
      {"build", setting.build}, {"dtype", setting.dtype}, {"tokens", c.tokens}};
  out["strategy"] = c.strategy.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(c.strategy);
  out["ratio"] = c.ratio < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(c.ratio);
  out["runs"] = c.seconds.size();
  out["median_s"] = median(c.seconds);
  out["min_s"] = *low;
  out["max_s"] = *high;
  if (!c.select_seconds.empty()) out["select_median_s"] = median(c.select_seconds);
  if (!c.strategy.empty()) out["offline_s"] = offline_seconds(c);
  out["flops"] = c.flops;
  out["bytes"] = c.bytes;
  if (c.flops_ratio > 0) out["flops_ratio"] = c.flops_ratio;
  if (setting.peak_flops > 0) out["peak_flops"] = setting.peak_flops;
  if (setting.peak_bytes > 0) out["peak_bytes"] = setting.peak_bytes;
  out["first_token"] = c.first_token;
  fmt::print("{}\n", out.dump());
}

/// Which of the machine's limits the median comes nearest to: "71 % FLOP", "55 % byte".
std::string share_of_peak(const BenchSetting& setting, const BenchCase& c, double seconds) {
  if (setting.peak_flops <= 0 || setting.peak_bytes <= 0) return "";
  const double flops = c.flops / seconds / setting.peak_flops, bytes = c.bytes / seconds / setting.peak_bytes;
  return fmt::format("{:.0f} % {}", 100 * std::max(flops, bytes), flops >= bytes ? "FLOP" : "byte");
}

/// What choosing costs beside a full prefill of as many tokens, and what was done before the request came.
void print_choosing(const std::vector<BenchCase>& cases) {
  bool heading = false;
  for (const BenchCase& c : cases) {
    if (c.strategy.empty() || c.strategy == "full") continue;
    const auto full = std::find_if(cases.begin(), cases.end(),
                                   [&](const BenchCase& o) { return o.tokens == c.tokens && o.strategy == "full"; });
    if (full == cases.end()) continue;
    if (!heading)
      fmt::print("\n{:<34} {:>6} {:>10} {:>12} {:>10}\n", "choosing", "tokens", "seconds", "of full", "offline s");
    heading = true;
    const std::string name = c.ratio < 0 ? c.strategy : fmt::format("{} {}", c.strategy, c.ratio);
    const double seconds = median(c.select_seconds);
    fmt::print("{:<34} {:>6} {:>10.4f} {:>10.2f} % {:>10.2f}\n", name, c.tokens, seconds,
               100 * seconds / median(full->seconds), offline_seconds(c));
  }
  if (heading)
    fmt::print("offline: how much longer a call takes that finds no caches, the auxiliary model's included\n\n");
}

/// What is to be known of a strategy wherever it is printed.
void print_notes(const std::vector<BenchCase>& cases) {
  StrategyNotes notes;
  for (const BenchCase& c : cases) add_note(notes, c.strategy, c.note);
  for (const std::string& line : table_foot(notes)) fmt::print("{}\n", line);
}

}  // namespace

void print_bench(const BenchSetting& setting, const std::vector<BenchCase>& cases, bool json) {
  if (json) {
    for (const BenchCase& c : cases) print_json(setting, c);
    return;
  }
  fmt::print("{}, {}, {}, {} threads\n", setting.model, setting.device, setting.dtype, setting.threads);
  fmt::print("{:<34} {:>6} {:>9} {:>9} {:>9} {:>9} {:>10} {:>8} {:>8} {:>8}\n", "case", "tokens", "median s", "min",
             "max", "tok/s", "GFLOP/s", "of peak", "time", "FLOPs");
  for (const BenchCase& c : cases) {
    const auto [low, high] = std::minmax_element(c.seconds.begin(), c.seconds.end());
    const double m = median(c.seconds);
    const auto first =
        std::find_if(cases.begin(), cases.end(), [&](const BenchCase& o) { return o.tokens == c.tokens; });
    fmt::print("{:<34} {:>6} {:>9.4f} {:>9.4f} {:>9.4f} {:>9.1f} {:>8.1f} {:>10} {:>8.3f} {:>8}\n", case_name(c),
               c.tokens, m, *low, *high, c.tokens / m, c.flops / m / 1e9, share_of_peak(setting, c, m),
               m / median(first->seconds), c.flops_ratio > 0 ? fmt::format("{:.3f}", c.flops_ratio) : "");
  }
  print_choosing(cases);
  print_notes(cases);
  if (setting.peak_flops > 0) {
    const bool card = setting.device == "cuda";
    fmt::print("peak, {}: {:.0f} GFLOP/s in {}{}, {:.1f} GB/s{}\n",
               card ? "by the card's clocks and units" : "measured here", setting.peak_flops / 1e9, setting.dtype,
               card ? "" : " from registers", setting.peak_bytes / 1e9, card ? "" : " read from memory");
  }
  fmt::print("time: median over the first case's of the same token count; FLOPs: counted, over full prefill's.\n");
}

}  // namespace kvmend
