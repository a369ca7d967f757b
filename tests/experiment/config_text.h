#pragma once
// Configs written in a test, and the errors they are answered with.
#include <string>
#include <vector>

#include "catch.h"
#include "core/error.h"
#include "experiment/config/config.h"
#include "temp_folder.h"

namespace kvmend {

inline constexpr const char* quickstart = R"(name: quickstart
model: smollm2-135m
dtype: bf16
tasks:
  - ruler/niah_multikey_1: {length: 1024, samples: 20, seed: 42}
  - ruler/vt
chunker: {fixed: 256}
strategies:
  - full
  - no_context
  - reuse
  - random: {seed: [1, 2, 3]}
  - epic
  - prophetkv
  - prophetkv: {as: "prophetkv, max", fusion: max}
  - test_clip: {aux_model: smollm2-135m, window: [4, 8, 16]}
ratios: [0.05, 0.1, 0.2, 0.5]
)";

/// Of c.yaml, with `--set`s.
inline Config config_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  TempFolder folder;
  return load_config({folder.write("c.yaml", text)}, settings);
}

/// "" where it has none; paths begin at the config's folder.
inline std::string error_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  TempFolder folder;
  const auto path = folder.write("c.yaml", text);
  try {
    load_config({path}, settings);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    std::string message = error.what();
    for (std::size_t at; (at = message.find(folder.path().string() + "/")) != std::string::npos;) {
      message.erase(at, folder.path().string().size() + 1);
    }
    return message;
  }
  return "";
}

inline std::vector<std::string> labels(const Config& config) {
  std::vector<std::string> out;
  for (const auto& variant : config.strategies) out.push_back(variant.label);
  return out;
}

}  // namespace kvmend
