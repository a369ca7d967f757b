#pragma once
// Sweeps on a card from the shell, on the emulated one in tests/emulated_cuda, whose faults are ordered by the environment
// (SIMT).
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/program.h"
#include "catch.h"

namespace kvmend::test {

/// Six strategies, a cell each.
inline std::string card_config(int samples) {
  return "name: tiny\nmodel: " + tiny_model("tiny-llama") +
         "\nchat: raw\ndtype: f32\ntasks:\n  - ruler/niah_single_1: {length: 460, samples: " + std::to_string(samples) +
         ", seed: 1}\nmax_new_tokens: 3\nchunker: {fixed: 96}\n"
         "strategies: [full, no_context, reuse, epic, cacheblend, prophetkv]\nratios: [0.25]\n";
}

/// What the environment says while it lives.
class Emulator {
 public:
  explicit Emulator(const std::string& more) : before_(std::getenv("SIMT") ? std::getenv("SIMT") : "") {
    ::setenv("SIMT", (before_.empty() ? more : before_ + "," + more).c_str(), 1);
  }
  ~Emulator() { ::setenv("SIMT", before_.c_str(), 1); }
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

 private:
  std::string before_;
};

inline ProgramResult sweep(const TempFolder& folder, const std::string& device, const std::string& store) {
  return kvmend({"run", "a.yaml", "--device", device, "-o", store}, folder.path());
}

/// By strategy, ratio and sample: what was selected, said and counted; nothing that depends on the device.
inline std::map<std::string, nlohmann::json> results(const TempFolder& folder, const std::string& store) {
  const auto exported = kvmend({"export", store}, folder.path());
  INFO(exported.err);
  REQUIRE(exported.code == 0);
  std::map<std::string, nlohmann::json> out;
  std::istringstream in(exported.out);
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line);
    nlohmann::json kept;
    for (const char* key :
         {"status", "prediction", "score", "selected", "layer_tokens", "effective_ratio", "flops_ratio"})
      if (json.contains(key)) kept[key] = json.at(key);
    REQUIRE(kept.size() >= (json.at("status") == "ok" ? 5U : 1U));
    out[json.at("label").get<std::string>() + " " + json.at("ratio").dump() + " " +
        json.at("sample").get<std::string>()] = kept;
  }
  return out;
}

/// What a worker took, as the emulator says under report=1.
struct Taken {
  int most = 0;  ///< KiB
  long long allocations = 0, launches = 0;
};

inline Taken taken_by(const ProgramResult& run) {
  Taken taken;
  const auto at = run.err.find("SIMT: ");
  REQUIRE(at != std::string::npos);
  REQUIRE(std::sscanf(run.err.c_str() + at, "SIMT: %d KiB of memory at most, %lld allocations, %lld launches",
                      &taken.most, &taken.allocations, &taken.launches) == 3);
  return taken;
}

}  // namespace kvmend::test
