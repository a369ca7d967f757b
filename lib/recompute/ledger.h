#pragma once
// Who pays for what. Answers are computed once; each cell's account gets what it asked for in full.
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "backend/backend.h"

namespace kvmend {

/// What computing something took.
struct ProbeCost {
  OpCost ops;
  double seconds = 0;
  ProbeCost& operator+=(const ProbeCost& other) {
    ops += other.ops;
    seconds += other.seconds;
    return *this;
  }
  ProbeCost operator-(const ProbeCost& other) const { return {ops - other.ops, seconds - other.seconds}; }
};

/// Something that was computed: its own cost, and what else it was made from.
struct Charge {
  ProbeCost cost;
  std::vector<const Charge*> needs;
  bool placement = false;  ///< placing a base: charged apart, for it is a phase of its own where the plan uses it
};

/// The account of the cell that is being planned. Computations nest: what one is made from is charged by itself.
class Ledger {
 public:
  explicit Ledger(Queue& queue) : queue_(queue) {}

  /// Begins a new account: what is used from then on is charged in full, once, whether it was computed now or earlier for
  /// somebody else.
  void start();

  /// Runs body and returns what it took, without what it computed inside with charges of its own.
  template <class Body>
  Charge measure(const Body& body) {
    open();
    try {
      body();
    } catch (...) {
      frames_.pop_back();
      throw;
    }
    return close();
  }
  /// The time between two marks of the queue is charged elsewhere, and so are `ops`, which have been queued: neither is the
  /// computation's that is being measured. The seconds are known once the queue has been waited for: `told` gets them in
  /// settle(), at the latest when the computation's measure ends.
  void measured_elsewhere(Queue::MarkPtr begin, Queue::MarkPtr end, const OpCost& ops,
                          std::function<void(double seconds)> told);
  /// Behind Queue::finish.
  void settle();
  /// `charge` outlives the ledger.
  void use(const Charge& charge);
  /// Wall-clock seconds spent now that somebody is charged for elsewhere.
  void add_computed(double seconds);

  const ProbeCost& charged() const { return charged_; }
  bool uses(const Charge& charge) const { return seen_.contains(&charge); }
  /// Seconds of placing bases that the account used, but for `own`.
  double placement_seconds(const Charge* own) const;
  /// Seconds of the current account that were really spent now on what is charged.
  double computed_seconds();

 private:
  struct Frame {
    ProbeCost before, nested;
    std::vector<const Charge*> needs;
  };
  struct Span {
    Queue::MarkPtr begin, end;
    std::function<void(double)> told;
  };
  void open();
  Charge close();
  ProbeCost now();

  Queue& queue_;
  std::vector<Frame> frames_;
  std::vector<Span> elsewhere_;  ///< of the innermost frame, or of none; not settled
  std::set<const Charge*> seen_;
  ProbeCost charged_;
  double computed_seconds_ = 0;
};

}  // namespace kvmend
