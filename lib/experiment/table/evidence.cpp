#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "experiment/table/data.h"

namespace kvmend {
namespace {

/// Whether one unit holds all of every span: what a chunk's own prefill saw in one piece.
bool is_whole(const nlohmann::json& units, const nlohmann::json& evidence) {
  return std::all_of(evidence.begin(), evidence.end(), [&](const auto& span) {
    return std::any_of(units.begin(), units.end(), [&](const auto& unit) {
      return unit.at(1).template get<int>() <= span.at(0).template get<int>() &&
             span.at(1).template get<int>() <= unit.at(2).template get<int>();
    });
  });
}

std::map<std::string, std::string> classes_of(const std::vector<std::filesystem::path>& stores) {
  std::map<std::string, std::string> out;
  for (const auto& path : stores) {
    Store store = Store::open(path, Store::Mode::read);
    Statement row = store.database().prepare("SELECT prompts, position, units, evidence FROM samples");
    while (row.step()) {
      const auto units = nlohmann::json::parse(row.text(2), nullptr, false);
      const auto evidence = nlohmann::json::parse(row.text(3), nullptr, false);
      if (!units.is_array() || !evidence.is_array())
        fail(ErrorKind::data, "{}: a sample's units or evidence are damaged", path.string());
      SampleRow sample;
      sample.prompts = row.text(0);
      sample.position = static_cast<int>(row.integer(1));
      out.emplace(sample_key(sample), evidence.empty() ? "" : is_whole(units, evidence) ? "whole" : "cut");
    }
  }
  return out;
}

}  // namespace

bool asks_for_evidence(const std::vector<std::pair<std::string, std::string>>& where) {
  return std::any_of(where.begin(), where.end(), [](const auto& condition) { return condition.first == "evidence"; });
}

void split_by_evidence(TableData& data, const std::vector<std::filesystem::path>& stores) {
  const auto classes = classes_of(stores);
  std::vector<TableCell> cells;
  for (TableCell& cell : data.cells) {
    std::map<std::string, std::vector<Observation>> parts;
    for (Observation& o : cell.observations) parts[classes.at(o.sample)].push_back(std::move(o));
    for (auto& [name, observations] : parts) {
      TableCell part = cell;
      part.evidence = name;
      part.wanted = static_cast<int>(observations.size());  // how many of a class there are to be, nobody asked for
      part.observations = std::move(observations);
      if (!cells.empty() && cells.back().record.key == cell.record.key) part.failed = 0;  // said once
      cells.push_back(std::move(part));
    }
    if (parts.empty()) cells.push_back(std::move(cell));
  }
  data.cells = std::move(cells);
}

}  // namespace kvmend
