// LongBench's scores of classes, numbers and code (arXiv 2308.14508 §3; the rules of its metrics.py).
#include <cmath>

#include <unicode/uchar.h>

#include "eval/difflib.h"
#include "eval/metrics/scores.h"
#include "eval/text.h"

namespace kvmend {
namespace {

/// Runs of decimal digits of any script: Python's re.findall(r"\d+").
std::vector<std::string> numbers_in(std::string_view text) {
  std::vector<std::string> out;
  std::u32string digits;
  const std::u32string wide = decode_utf8(text);
  for (std::size_t i = 0; i <= wide.size(); ++i) {
    if (i < wide.size() && u_isdigit(static_cast<UChar32>(wide[i]))) {
      digits += wide[i];
    } else if (!digits.empty()) {
      out.push_back(encode_utf8(digits));
      digits.clear();
    }
  }
  return out;
}

double share_equal(const std::vector<std::string>& numbers, const std::string& expected) {
  if (numbers.empty()) return 0;
  return static_cast<double>(std::count(numbers.begin(), numbers.end(), expected)) /
         static_cast<double>(numbers.size());
}

/// The digits behind the first `label` that has any directly behind it.
std::string number_behind(const std::string& text, std::string_view label) {
  for (std::size_t at = 0; (at = text.find(label, at)) != std::string::npos; ++at) {
    const std::u32string rest = decode_utf8(std::string_view(text).substr(at + label.size()));
    if (!rest.empty() && u_isdigit(static_cast<UChar32>(rest[0]))) return numbers_in(encode_utf8(rest)).front();
  }
  return {};
}

double retrieved(std::string_view prediction, const References& references, std::string_view label) {
  const auto numbers = numbers_in(prediction);
  return best_over(references, [&](const std::string& reference) {
    const std::string expected = number_behind(reference, label);
    return expected.empty() ? 0.0 : share_equal(numbers, expected);
  });
}

double classified(std::string_view prediction, const std::string& reference, const References& classes,
                  bool skip_neighbour) {
  References found;
  for (const auto& name : classes) {
    if (prediction.find(name) != std::string_view::npos) found.push_back(name);
  }
  // Upstream removes from the list it walks over: the name behind a removed one is never looked at.
  for (std::size_t i = 0; i < found.size();) {
    const bool drop = found[i] != reference && reference.find(found[i]) != std::string::npos;
    if (!drop) {
      ++i;
      continue;
    }
    found.erase(std::find(found.begin(), found.end(), found[i]));
    if (skip_neighbour) ++i;
  }
  const bool right = std::find(found.begin(), found.end(), reference) != found.end();
  return right ? 1.0 / static_cast<double>(found.size()) : 0;
}

/// The first line without a backtick, a # or a //, wherever in it they stand; all of the text if every line has one.
std::string_view code_line(std::string_view prediction) {
  const std::size_t begin = prediction.find_first_not_of('\n');
  const std::string_view lines = begin == std::string_view::npos ? "" : prediction.substr(begin);
  for (std::size_t at = 0; at <= lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string_view line = lines.substr(at, end - at);
    if (line.find_first_of("`#") == std::string_view::npos && line.find("//") == std::string_view::npos) return line;
    at = end + 1;
  }
  return prediction;
}

}  // namespace

double count_score(std::string_view prediction, const References& references, const References&) {
  const auto numbers = numbers_in(prediction);
  return best_over(references, [&](const std::string& reference) { return share_equal(numbers, reference); });
}

double retrieval(std::string_view prediction, const References& references, const References&) {
  return retrieved(prediction, references, "Paragraph ");
}

double retrieval_zh(std::string_view prediction, const References& references, const References&) {
  return retrieved(prediction, references, "\u6bb5\u843d");
}

double classification(std::string_view prediction, const References& references, const References& classes) {
  return best_over(references, [&](const auto& reference) { return classified(prediction, reference, classes, true); });
}

double classification_strict(std::string_view prediction, const References& references, const References& classes) {
  return best_over(references,
                   [&](const auto& reference) { return classified(prediction, reference, classes, false); });
}

double code_similarity(std::string_view prediction, const References& references, const References&) {
  const std::u32string line = decode_utf8(code_line(prediction));
  return best_over(references, [&](const std::string& reference) {
    const std::u32string expected = decode_utf8(reference);
    if (line == expected) return 1.0;
    // A percentage rounded half to even, as fuzzywuzzy's ratio.
    return line.empty() || expected.empty() ? 0.0 : std::nearbyint(100 * matching_ratio(line, expected)) / 100;
  });
}

}  // namespace kvmend
