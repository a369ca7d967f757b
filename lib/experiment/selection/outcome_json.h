#pragma once
// What `select --json` and exported rows have in common.
#include <nlohmann/json.hpp>
#include <vector>

#include "recompute/outcome.h"
#include "recompute/request.h"

namespace kvmend {

inline nlohmann::ordered_json units_json(const std::vector<Unit>& units) {
  auto out = nlohmann::ordered_json::array();
  for (const Unit& unit : units) {
    out.push_back(
        {{"kind", unit.kind == UnitKind::prefix ? "prefix" : "chunk"}, {"begin", unit.begin}, {"end", unit.end}});
  }
  return out;
}

inline nlohmann::ordered_json seconds_json(const PhaseSeconds& s) {
  return {{"load", s.load},           {"place", s.place}, {"select", s.select},
          {"recompute", s.recompute}, {"query", s.query}, {"first_token", s.first_token},
          {"ttft", s.ttft()}};
}

}  // namespace kvmend
