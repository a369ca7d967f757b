#include "eval/metrics/scores.h"
#include "eval/text.h"

namespace kvmend {
namespace {

std::string clean_prediction(std::string_view prediction) {
  std::string text = strip(prediction);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = '\n';
  }
  return lower_case(strip(text));
}

int count_found(std::string_view prediction, const References& references) {
  const std::string text = clean_prediction(prediction);
  int found = 0;
  for (const auto& reference : references) found += text.find(lower_case(reference)) != std::string::npos ? 1 : 0;
  return found;
}

}  // namespace

double string_match_all(std::string_view prediction, const References& references, const References&) {
  if (references.empty()) return 0;
  return static_cast<double>(count_found(prediction, references)) / static_cast<double>(references.size());
}

double string_match_part(std::string_view prediction, const References& references, const References&) {
  return count_found(prediction, references) > 0 ? 1 : 0;
}

}  // namespace kvmend
