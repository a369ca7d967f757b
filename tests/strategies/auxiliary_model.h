#pragma once
// What the tests of strategies that score by another model share.
#include "paths.h"
#include "support/cell_case.h"
#include "support/random_model.h"

namespace kvmend::test {

/// The auxiliary model's file: a Llama with a tokenizer of its own.
inline std::string auxiliary_file() { return source_folder() + "/tests/data/models/tiny-llama.gguf"; }

/// Parameters with that model.
inline Value with_auxiliary(std::initializer_list<std::pair<const char*, Value>> entries = {}) {
  Value out{Value::Map{}};
  out.set("aux_model", auxiliary_file());
  for (const auto& [key, value] : entries) out.set(key, value);
  return out;
}

/// The model that answers.
inline const RandomModel& primary_model() {
  static const RandomModel files(13);
  return files;
}

}  // namespace kvmend::test
