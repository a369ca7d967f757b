#pragma once
#include "experiment/store_records.h"

namespace kvmend {

/// The sample without its prompt: every byte of the text that is no space becomes '_', every token id 0. Spans, units, evidence,
/// the prompt's hash and the references stay, so that `table`, `rescore` and `run` go on as before, and `show` and `report` draw
/// the same selections over underscores.
SampleRecord redacted(SampleRecord sample);

}  // namespace kvmend
