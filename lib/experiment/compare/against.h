#pragma once
// Our results beside a paper's: the difference, and a verdict on each of its claims.
#include <string_view>

#include "experiment/compare/published.h"
#include "experiment/table/table.h"

namespace kvmend {

enum class Verdict : std::uint8_t { reproduced, not_reproduced, not_distinguishable, not_tested };
std::string_view verdict_name(Verdict verdict);  ///< "not tested here"

struct AgainstValue {
  PublishedValue theirs;
  std::optional<Estimate> ours;
  int tasks = 0, tasks_of = 0;  ///< of a group, how many we ran
  std::string reason;           ///< why there is nothing of ours
};

struct AgainstClaim {
  PublishedClaim claim;
  Verdict verdict = Verdict::not_tested;
  std::string reason;                  ///< why not tested
  std::optional<Estimate> difference;  ///< better − factor × than + margin, paired
  double p = 1;                        ///< Holm over the claims tested
  double detectable = 0;
  int tasks = 0, tasks_of = 0;  ///< of a group, how many the verdict is over
};

struct Against {
  Published published;
  std::string model;  ///< ours
  std::vector<AgainstValue> values;
  std::vector<AgainstClaim> claims;
  std::vector<std::string> notes;  ///< what is to be known of our strategies: table_foot
  std::vector<std::string> warnings;
};

/// A claim is reproduced where a paired permutation test tells better and factor × than − margin apart in the paper's
/// direction (Holm over all claims tested), not reproduced where it does in the other. With a factor or margin the signs of
/// the differences are permuted, which is exact only for symmetric ones: the 95 % interval of the mean has to exclude 0,
/// too. A task that was run in several variants (lengths, answer lengths, chat formats, …) is not averaged: `where` has to
/// choose. Pairs are over the same prompts. Throws Error(usage) if the results are over several models or chunkers.
Against set_against(const TableData& data, const std::vector<std::pair<std::string, std::string>>& where,
                    Published published);

/// "text", "md", "csv", "latex" or "json"; throws Error(usage).
std::string format_against(const Against& against, std::string_view format);

}  // namespace kvmend
