#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kvmend {

/// One benched case; `seconds` has one entry a run. Cases of one call run interleaved, so that they share the machine's mood.
struct BenchCase {
  std::string name;  ///< "prefill", "select", "decode"
  int tokens = 0;
  std::string strategy;  ///< empty: none
  std::string note;      ///< StrategyInfo::note
  double ratio = -1;     ///< −1: none
  std::vector<double> seconds;
  std::vector<double> select_seconds;  ///< of them, choosing what to recompute
  std::vector<double> wall_seconds;    ///< of the whole call, one entry a run
  double cold_seconds = 0;  ///< of a call that finds no caches: chunks are prefilled, the auxiliary model's too
  double flops = 0, bytes = 0, flops_ratio = 0;
  std::int32_t first_token = 0;  ///< what the prompt is continued with, to compare with others
};

/// What all cases of a call share.
struct BenchSetting {
  std::string model, device, build, dtype;
  int threads = 0;
  double peak_flops = 0, peak_bytes = 0;  ///< a second, of this machine, measured; 0: unknown
};

/// "select epic 0.2": of one number of tokens.
std::string case_name(const BenchCase& c);

double median(std::vector<double> values);

/// What a strategy needs before any request comes: how much longer a call takes that finds no caches. 0 where none are used.
double offline_seconds(const BenchCase& c);

/// Either a JSON object a line, or a table whose ratio column compares with the first case of the same token count.
void print_bench(const BenchSetting& setting, const std::vector<BenchCase>& cases, bool json);

}  // namespace kvmend
