#include "options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace simt {

namespace {

[[noreturn]] void reject(std::string_view word) {
  std::fprintf(stderr, "SIMT: cannot read '%.*s'\n", static_cast<int>(word.size()), word.data());
  std::abort();
}

std::int64_t number(std::string_view word, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) reject(word);
  return value;
}

void apply(Options& options, std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) reject(word);
  const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
  if (name == "schedule") {
    if (value == "forward")
      options.schedule = Schedule::forward;
    else if (value == "reverse")
      options.schedule = Schedule::reverse;
    else if (value == "random")
      options.schedule = Schedule::random;
    else
      reject(word);
  } else if (name == "seed") {
    options.seed = static_cast<unsigned>(number(word, value));
  } else if (name == "workers") {
    options.workers = static_cast<int>(number(word, value));
  } else if (name == "devices") {
    options.devices = static_cast<int>(number(word, value));
  } else if (name == "once") {
    options.once = value;
  } else if (name == "drivers") {
    options.drivers = value;
  } else if (name == "memory") {
    options.memory = static_cast<std::size_t>(number(word, value)) << 20U;
  } else if (name == "memory_kib") {
    options.memory = static_cast<std::size_t>(number(word, value)) << 10U;
  } else if (name == "shared_kib") {
    options.shared_limit = static_cast<std::size_t>(number(word, value)) << 10U;
  } else if (name == "report") {
    options.report = number(word, value) != 0;
  } else if (name == "no_driver") {
    options.no_driver = number(word, value) != 0;
  } else if (name == "old_driver") {
    options.old_driver = number(word, value) != 0;
  } else if (name == "allocations_left") {
    options.allocations_left = number(word, value);
  } else if (name == "refusals") {
    options.refusals = static_cast<int>(number(word, value));
  } else if (name == "launches_left") {
    options.launches_left = number(word, value);
  } else {
    reject(word);
  }
}

/// Takes this process's sign off the file's beginning.
bool finds_driver(const std::string& file) {
  std::string signs;
  std::getline(std::ifstream(file), signs);
  if (signs.empty()) return true;
  std::ofstream(file) << signs.substr(1);
  return signs.front() != '0';
}

}  // namespace

Options parse_options(std::string_view text) {
  Options options;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    apply(options, text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  return options;
}

bool strikes(std::int64_t& left) {
  if (left < 0 || left-- > 0) return false;
  return options().once.empty() || std::remove(options().once.c_str()) == 0;
}

Options& options() {
  static Options current = [] {
    const char* text = std::getenv("SIMT");
    Options parsed = parse_options(text == nullptr ? "" : text);
    if (!parsed.drivers.empty() && !finds_driver(parsed.drivers)) parsed.no_driver = true;
    return parsed;
  }();
  return current;
}

}  // namespace simt
