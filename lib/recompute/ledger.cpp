#include "recompute/ledger.h"

#include <chrono>

namespace kvmend {

void Ledger::start() {
  seen_.clear();
  charged_ = {};
  computed_seconds_ = 0;
}

ProbeCost Ledger::now() {
  queue_.finish();
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {queue_.cost(), std::chrono::duration<double>(since).count()};
}

void Ledger::open() { frames_.push_back({now(), {}, {}}); }

Charge Ledger::close() {
  const ProbeCost total = now() - frames_.back().before;
  Charge charge{total - frames_.back().nested, std::move(frames_.back().needs), false};
  frames_.pop_back();
  if (frames_.empty()) {
    computed_seconds_ += total.seconds;
  } else {
    frames_.back().nested += total;
  }
  return charge;
}

void Ledger::add_computed(double seconds) {
  if (frames_.empty()) {
    computed_seconds_ += seconds;
  } else {
    frames_.back().nested.seconds += seconds;
  }
}

void Ledger::use(const Charge& charge) {
  if (!frames_.empty()) {
    frames_.back().needs.push_back(&charge);
    return;
  }
  if (!seen_.insert(&charge).second) return;
  if (!charge.placement) charged_ += charge.cost;
  for (const Charge* need : charge.needs) use(*need);
}

double Ledger::placement_seconds(const Charge* own) const {
  double sum = 0;
  for (const Charge* charge : seen_) {
    if (charge->placement && charge != own) sum += charge->cost.seconds;
  }
  return sum;
}

}  // namespace kvmend
