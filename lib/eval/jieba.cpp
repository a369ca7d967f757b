#include "eval/jieba.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/data_dir.h"
#include "core/error.h"
#include "core/file.h"
#include "eval/text.h"

namespace kvmend {
namespace {

namespace fs = std::filesystem;

bool is_han(char32_t c) { return c >= 0x4E00 && c <= 0x9FD5; }
bool is_alnum(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') || (c >= U'0' && c <= U'9'); }
bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
/// What the dictionary is asked about; everything else stands alone.
bool in_block(char32_t c) {
  return is_han(c) || is_alnum(c) || std::u32string_view(U"+#&._%-").find(c) != std::u32string_view::npos;
}

/// Splits `text` into the longest runs of which `inside` is all true or all false.
template <class F, class Visit>
void for_runs(std::u32string_view text, F inside, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const bool in = inside(text[at]);
    std::size_t stop = at + 1;
    while (stop < text.size() && inside(text[stop]) == in) ++stop;
    visit(text.substr(at, stop - at), in);
    at = stop;
  }
}

/// Letters and digits, then a decimal part, then a percent sign: the end of what starts at `at`; `at` if nothing does.
std::size_t number_or_word_end(std::u32string_view text, std::size_t at) {
  std::size_t stop = at;
  while (stop < text.size() && is_alnum(text[stop])) ++stop;
  if (stop == at) return at;
  if (stop + 1 < text.size() && text[stop] == U'.' && is_digit(text[stop + 1])) {
    ++stop;
    while (stop < text.size() && is_digit(text[stop])) ++stop;
  }
  return stop < text.size() && text[stop] == U'%' ? stop + 1 : stop;
}

}  // namespace

Jieba::Jieba(const fs::path& folder) {
  read_dictionary(folder / "dict.txt");
  read_tables(folder);
}

std::int64_t Jieba::frequency(Text word) const {
  const auto found = words_.find(word);
  return found == words_.end() ? 0 : found->second;
}

/// For every position, where the word that begins there ends on the most probable path to the end of the block.
std::vector<std::size_t> Jieba::best_ends(Text block) const {
  const std::size_t n = block.size();
  std::vector<double> score(n + 1, 0);
  std::vector<std::size_t> ends(n);
  for (std::size_t at = n; at-- > 0;) {
    bool first = true;
    const auto offer = [&](std::size_t stop, std::int64_t count) {
      const double value = std::log(static_cast<double>(std::max<std::int64_t>(count, 1))) - log_total_ + score[stop];
      // At a tie the longer word wins; words are offered by length.
      if (first || value >= score[at]) score[at] = value, ends[at] = stop;
      first = false;
    };
    for (std::size_t stop = at + 1; stop <= n; ++stop) {
      const auto found = words_.find(block.substr(at, stop - at));
      if (found == words_.end()) break;
      if (found->second > 0) offer(stop, found->second);
    }
    if (first) offer(at + 1, frequency(block.substr(at, 1)));
  }
  return ends;
}

/// Dictionary words as they are; runs of single characters go to the hidden Markov model.
void Jieba::cut_block(Text block, Words& out) const {
  const auto ends = best_ends(block);
  std::size_t run = 0;  // where the run of single characters before `at` began
  const auto flush = [&](std::size_t at) {
    const Text singles = block.substr(run, at - run);
    if (singles.size() > 1 && frequency(singles) == 0) {
      cut_unknown(singles, out);
    } else {
      for (std::size_t i = 0; i < singles.size(); ++i) out.push_back(singles.substr(i, 1));
    }
  };
  for (std::size_t at = 0; at < block.size();) {
    const std::size_t stop = ends[at];
    if (stop - at > 1) {
      flush(at);
      out.push_back(block.substr(at, stop - at));
      run = stop;
    }
    at = stop;
  }
  flush(block.size());
}

void Jieba::cut_unknown(Text run, Words& out) const {
  for_runs(run, is_han, [&](Text part, bool han) {
    if (han) return cut_hidden(part, out);
    std::size_t rest = 0;
    for (std::size_t at = 0; at < part.size();) {
      const std::size_t stop = number_or_word_end(part, at);
      if (stop == at) {
        ++at;
        continue;
      }
      if (rest < at) out.push_back(part.substr(rest, at - rest));
      out.push_back(part.substr(at, stop - at));
      at = rest = stop;
    }
    if (rest < part.size()) out.push_back(part.substr(rest));
  });
}

/// Viterbi over begin, middle and end of words and single characters.
void Jieba::cut_hidden(Text run, Words& out) const {
  constexpr std::array<std::array<State, 2>, n_states> from{
      {{end, single}, {begin, middle}, {begin, middle}, {end, single}}};
  const auto emitted = [&](std::size_t state, char32_t c) {
    const auto found = emit_[state].find(c);
    return found == emit_[state].end() ? never : found->second;
  };
  std::array<double, n_states> score{};
  for (std::size_t s = 0; s < n_states; ++s) score[s] = start_[s] + emitted(s, run[0]);
  std::vector<std::array<State, n_states>> back(run.size());
  for (std::size_t t = 1; t < run.size(); ++t) {
    std::array<double, n_states> next{};
    for (std::size_t s = 0; s < n_states; ++s) {
      const double emission = emitted(s, run[t]);
      // Ties go to the state whose letter is later.
      const double early = score[from[s][0]] + step_[from[s][0]][s] + emission;
      const double late = score[from[s][1]] + step_[from[s][1]][s] + emission;
      next[s] = std::max(early, late);
      back[t][s] = late >= early ? from[s][1] : from[s][0];
    }
    score = next;
  }
  std::vector<State> states(run.size());
  states.back() = score[single] >= score[end] ? single : end;
  for (std::size_t t = run.size() - 1; t > 0; --t) states[t - 1] = back[t][states[t]];
  std::size_t word = 0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (states[i] == begin) word = i;
    if (states[i] == end) out.push_back(run.substr(word, i + 1 - word));
    if (states[i] == single) out.push_back(run.substr(i, 1));
  }
}

std::vector<std::string> Jieba::cut(std::string_view text) const {
  const std::u32string wide = decode_utf8(text);
  Words words;
  for_runs(Text(wide), in_block, [&](Text part, bool block) {
    if (block) return cut_block(part, words);
    for (std::size_t i = 0; i < part.size();) {
      const std::size_t size = part.substr(i, 2) == U"\r\n" ? 2 : 1;
      words.push_back(part.substr(i, size));
      i += size;
    }
  });
  std::vector<std::string> out;
  out.reserve(words.size());
  for (const Text word : words) out.push_back(encode_utf8(word));
  return out;
}

const Jieba& Jieba::standard() {
  static const Jieba loaded = [] {
    const char* named = std::getenv("KVMEND_JIEBA");
    const fs::path folder = named && *named ? fs::path(named) : fetched_data_dir() / "jieba";
    if (!path_exists(folder / "dict.txt")) {
      fail(
          ErrorKind::data,
          "{}: no dictionary for Chinese words there; run 'kvmend fetch jieba', or let KVMEND_JIEBA name the folder of "
          "the Python package jieba",
          (folder / "dict.txt").string());
    }
    return Jieba(folder);
  }();
  return loaded;
}

}  // namespace kvmend
