#include "experiment/redact.h"

#include <algorithm>

namespace kvmend {

SampleRecord redacted(SampleRecord sample) {
  for (char& c : sample.text) {
    if (c != ' ' && c != '\n') c = '_';  // byte by byte: spans count bytes
  }
  std::fill(sample.tokens.ids.begin(), sample.tokens.ids.end(), 0);
  return sample;
}

}  // namespace kvmend
