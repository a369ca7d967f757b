#pragma once
// Recomputation that goes on while decoding (KVShare, arXiv 2503.16525).
#include <vector>

#include "recompute/engine.h"
#include "recompute/outcome.h"
#include "recompute/pass.h"

namespace kvmend {

/// Overlay rows that a cell needs for it besides those of decoded tokens, `steps` tokens at most.
int repair_rows(const std::optional<DecodeRepair>& repair, int steps);

/// Watches what one cell's decoding attends to, and every few steps recomputes some tokens in its overlay.
class DecodeRepairer {
 public:
  /// `caches` and `outcome` are the cell's; overlay rows from used + `first_row` on are free.
  DecodeRepairer(Engine& engine, const Sequence& sequence, std::vector<LayerCache>& caches, Outcome& outcome,
                 BasePtr base, const DecodeRepair& how, int first_row);

  /// The row that is being decoded, in one layer.
  void watch(int layer, const Tensor& q, const KvView& view);
  /// All layers have been watched and decoding goes on.
  void end_step();

 private:
  std::vector<int> choose() const;
  void repair(const std::vector<int>& rows);
  void move_to_overlay(const std::vector<int>& rows);
  Visibility visible_to(const std::vector<int>& rows, int layer) const;

  Engine& engine_;
  const Sequence& sequence_;
  std::vector<LayerCache>& caches_;
  Outcome& outcome_;
  BasePtr base_;
  DecodeRepair how_;
  int next_row_;  ///< of the overlay, from `used` on
  int steps_ = 0;
  std::vector<double> attention_;  ///< [N] decayed sum
  std::vector<char> done_;         ///< [N] recomputed, exact or dropped
  struct Watched {
    int layer;
    Tensor mass;  ///< f32 [n_keys, 1]
  };
  std::vector<Watched> watched_;
};

}  // namespace kvmend
