#pragma once
// What a store's runs say about their strategies and models beside the cells. A cell's key is everything its results depend
// on; how sure a detail is, is none of that, and its words may change without a new result.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "experiment/store/store.h"

namespace kvmend {

/// For a run's record: {name: {version, source, labels, note}} of every strategy that the config runs, parts of others included.
Value describe_strategies(const Config& config);

/// "kvshare (approximation)": a label with its strategy's note up to the semicolon, for legends; itself without a note.
std::string with_note(const std::string& label, const std::string& note);

using StrategyVersion = std::pair<std::string, std::int64_t>;  ///< a name and the version that ran

class RunFacts {
 public:
  explicit RunFacts(Store& store);

  /// "[2] algorithm 1; [O] query_span": of the cell's strategy in the version that ran, as the newest run with it says; of a
  /// store that is older than such records, as this program says; "" where that has another version or no such strategy.
  std::string labels(const CellRecord& cell) const;
  /// StrategyInfo::note, found in the same way; of a composition without one "kvshare: approximation; …", its part's.
  std::string note(const CellRecord& cell) const;
  /// Of the cell's model and dtype, all layers; nullopt where no run of that model noted it.
  std::optional<double> kv_bytes_per_token(const CellRecord& cell) const;

 private:
  struct Words {
    std::string labels, note;
  };
  Words words(const StrategyVersion& strategy) const;

  std::map<StrategyVersion, Words> words_;
  std::map<std::pair<std::string, std::string>, double> kv_bytes_;  ///< by weights and dtype
};

}  // namespace kvmend
