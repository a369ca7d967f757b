#include "eval/difflib.h"

#include <unordered_map>
#include <vector>

namespace kvmend {
namespace {

/// A stretch of a and one of b.
struct Window {
  std::size_t a_begin, a_end, b_begin, b_end;
};
struct Block {
  std::size_t a, b, size;
};

class Matcher {
 public:
  Matcher(std::u32string_view a, std::u32string_view b) : a_(a), b_(b), ending_(b.size()), before_(b.size()) {
    for (std::size_t j = 0; j < b.size(); ++j) places_[b[j]].push_back(j);
    constexpr std::size_t junk_from = 200;
    if (b.size() < junk_from) return;
    const std::size_t popular = b.size() / 100 + 1;
    std::erase_if(places_, [&](const auto& entry) { return entry.second.size() > popular; });
  }

  std::size_t matches() {
    std::size_t total = 0;
    std::vector<Window> open{{0, a_.size(), 0, b_.size()}};
    while (!open.empty()) {
      const Window w = open.back();
      open.pop_back();
      const Block found = longest(w);
      if (found.size == 0) continue;
      total += found.size;
      const Window left{w.a_begin, found.a, w.b_begin, found.b};
      const Window right{found.a + found.size, w.a_end, found.b + found.size, w.b_end};
      for (const Window& rest : {left, right}) {
        if (rest.a_begin < rest.a_end && rest.b_begin < rest.b_end) open.push_back(rest);
      }
    }
    return total;
  }

 private:
  /// The longest block that starts earliest in a, and of those earliest in b; then widened over popular characters.
  Block longest(const Window& w) {
    Block best{w.a_begin, w.b_begin, 0};
    std::vector<std::size_t> touched, touched_before;
    for (std::size_t i = w.a_begin; i < w.a_end; ++i) {
      // ending_[j]: length of the block that ends at a[i] and b[j]; before_ is the same for a[i - 1].
      if (const auto found = places_.find(a_[i]); found != places_.end()) {
        for (const std::size_t j : found->second) {
          if (j < w.b_begin) continue;
          if (j >= w.b_end) break;
          const std::size_t size = (j > 0 ? before_[j - 1] : 0) + 1;
          ending_[j] = size;
          touched.push_back(j);
          if (size > best.size) best = {i + 1 - size, j + 1 - size, size};
        }
      }
      for (const std::size_t j : touched_before) before_[j] = 0;
      std::swap(before_, ending_);
      std::swap(touched_before, touched);
      touched.clear();
    }
    for (const std::size_t j : touched_before) before_[j] = 0;
    while (best.a > w.a_begin && best.b > w.b_begin && a_[best.a - 1] == b_[best.b - 1])
      --best.a, --best.b, ++best.size;
    while (best.a + best.size < w.a_end && best.b + best.size < w.b_end &&
           a_[best.a + best.size] == b_[best.b + best.size])
      ++best.size;
    return best;
  }

  std::u32string_view a_, b_;
  std::unordered_map<char32_t, std::vector<std::size_t>> places_;
  std::vector<std::size_t> ending_, before_;
};

}  // namespace

double matching_ratio(std::u32string_view a, std::u32string_view b) {
  const std::size_t all = a.size() + b.size();
  if (all == 0) return 1;
  return 2.0 * static_cast<double>(Matcher(a, b).matches()) / static_cast<double>(all);
}

}  // namespace kvmend
