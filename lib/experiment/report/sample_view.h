#pragma once
// One sample of a store with what every cell did with it: what `kvmend show` prints.
#include <string>
#include <vector>

#include "experiment/selection/budget_use.h"
#include "experiment/selection/given_order.h"
#include "experiment/selection/overlap.h"
#include "experiment/store/store.h"

namespace kvmend {

/// What one cell gave on the sample, and where its budget went.
struct CellView {
  CellRecord cell;
  ResultRecord result;
  AsGiven given;  ///< result.outcome's choice, by the sample's own indices
  BudgetUse use;  ///< of the same; all 0 where the cell failed
  bool failed() const { return !result.outcome.error.empty(); }
};

struct SampleView {
  SampleRecord sample;
  int evidence_tokens = 0;
  std::vector<CellView> cells;  ///< in the config's order

  std::string text(int begin, int end) const;     ///< of tokens [begin, end)
  std::string unit_name(std::size_t unit) const;  ///< "prefix", "chunk 1" …
  int evidence_in(const Unit& unit) const;        ///< evidence tokens in it
};

/// `name`: a sample's id, or the end of one that tells it apart. `where`: "chunker=fixed: 64"; needed where a sample ran
/// with several prompts. Throws Error(usage) with the samples there are.
SampleView load_sample_view(Store& store, const std::string& name,
                            const std::vector<std::pair<std::string, std::string>>& where = {});

/// Cells that select some tokens and not all, at `ratio` (or fixed; a negative ratio: every cell, named with its ratio). The
/// query's attention is what oracle_attention scored, else prophetkv, where the store has it.
SelectionOverlap selection_overlap(const SampleView& view, double ratio = -1);

}  // namespace kvmend
