#pragma once
// What the tests of compositions share: one request, its runs, and parameters as a config would give them.
#include <fstream>

#include "paths.h"
#include "support/cell_case.h"
#include "support/random_model.h"
#include "support/value_map.h"

namespace kvmend::test {

inline Engine& engine() {
  static const RandomModel files(14);
  static Engine shared(files, {"cpu", DType::f32, 2});
  return shared;
}

/// A prefix of 8 tokens, then chunks that begin at 8, 48 and 73; 106 in all.
inline const Request& request() {
  static const Request made = random_request({8, 40, 25, 33}, true, 11, 4);
  return made;
}

inline Value list(std::initializer_list<Value> items) { return Value::List(items); }

inline Outcome run(const std::string& name, const Value& params, double ratio, const Request& what = request()) {
  return run_cell(engine(), what, strategy(name, params), ratio).outcome;
}

/// A file of n scores first, first + 1 … for the sample without a name.
inline std::string score_file(const std::string& name, int n, int first) {
  const std::string path = binary_folder() + "/" + name;
  std::ofstream file(path);
  file << R"({"id": "", "scores": [)";
  for (int i = 0; i < n; ++i) file << (i ? "," : "") << first + i;
  file << "]}\n";
  return path;
}

/// What composing fails with, a line each.
inline std::string composition_errors(const Value& params) {
  ParamErrors errors;
  CHECK(make_strategy("combine", {}, params, errors) == nullptr);
  std::string all;
  for (const auto& message : errors.messages) all += message + "\n";
  return all;
}

}  // namespace kvmend::test
