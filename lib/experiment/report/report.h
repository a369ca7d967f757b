#pragma once
// `kvmend report`: one HTML page with everything in it.
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

struct ReportQuery {
  std::vector<std::pair<std::string, std::string>> where;
  int samples = 300;                 ///< with text and selections; the others keep scores and predictions
  bool plots = true;                 ///< false: no figures, for machines without gnuplot
  std::size_t largest = 60'000'000;  ///< bytes of the page: text and selections stop short of it
};

struct Report {
  std::string html;
  int samples = 0, with_text = 0;
  std::vector<std::string> notes;  ///< what the page lacks and why
};

/// Scores and costs with each selector's overlap with the stores' oracles; scores and predictions of all samples; prompts and
/// selections of those on which strategies disagree most. Throws as
/// load_table_data and make_table do.
Report make_report(const std::vector<std::filesystem::path>& stores, const ReportQuery& query);

}  // namespace kvmend
