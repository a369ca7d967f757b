#include "experiment/run/answer.h"

#include <algorithm>

namespace kvmend {

std::size_t find_stop(std::string_view answer, const std::vector<std::string>& stops) {
  std::size_t first = std::string::npos;
  const std::size_t begin = answer.find_first_not_of('\n');
  for (const std::string& stop : stops) {
    if (!stop.empty()) first = std::min(first, answer.find(stop, begin));
  }
  return first;
}

std::string cut_at_stop(std::string answer, const std::vector<std::string>& stops) {
  const std::size_t at = find_stop(answer, stops);
  if (at != std::string::npos) answer.resize(at);
  return answer;
}

}  // namespace kvmend
