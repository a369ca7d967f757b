#include "recompute/ledger.h"

#include <chrono>
#include <utility>

namespace kvmend {

void Ledger::start() {
  computed_seconds();  // what a cell that failed left behind
  seen_.clear();
  charged_ = {};
  computed_seconds_ = 0;
}

ProbeCost Ledger::now() {
  queue_.finish();
  settle();
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {queue_.cost(), std::chrono::duration<double>(since).count()};
}

void Ledger::open() {
  const ProbeCost before = now();  // settles what belongs to the frame around it
  frames_.push_back({before, {}, {}});
}

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

void Ledger::measured_elsewhere(Queue::MarkPtr begin, Queue::MarkPtr end, const OpCost& ops,
                                std::function<void(double)> told) {
  if (!frames_.empty()) frames_.back().nested.ops += ops;
  elsewhere_.push_back({std::move(begin), std::move(end), std::move(told)});
}

void Ledger::settle() {
  for (const Span& span : std::exchange(elsewhere_, {})) {
    const double seconds = queue_.seconds_between(*span.begin, *span.end);
    add_computed(seconds);
    span.told(seconds);
  }
}

double Ledger::computed_seconds() {
  if (!elsewhere_.empty()) {
    queue_.finish();
    settle();
  }
  return computed_seconds_;
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
