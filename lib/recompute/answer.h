#pragma once
// RequestProbe::answer, for the files that compute its answers.
#include "recompute/request_probe.h"

namespace kvmend {

template <class Compute>
const RequestProbe::Answer& RequestProbe::answer(const std::string& key, const Compute& compute) {
  auto found = answers_.find(key);
  if (found == answers_.end()) {
    auto fresh = std::make_unique<Answer>();
    fresh->charge = ledger_->measure([&] { compute(*fresh); });
    found = answers_.emplace(key, std::move(fresh)).first;
  }
  ledger_->use(found->second->charge);
  return *found->second;
}

}  // namespace kvmend
