#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace kvmend {

/// Progress of a long run on stderr: a bar on a terminal, one line every ten seconds elsewhere, nothing when quiet.
class Progress {
 public:
  /// `total` and `done` count the same work; `unit` names it ("results").
  Progress(std::int64_t total, std::string unit, bool quiet);
  ~Progress();
  /// `share`: how much of all that the work costs is done, 0 to 1. What is left is reckoned by it.
  void update(std::int64_t done, double share, const std::string& current);
  /// What is counted besides, from the next update on: "3/40 samples".
  void set_beside(std::string text) { beside_ = std::move(text); }
  /// Clears the bar, so that a message starts on a line of its own.
  void clear();

 private:
  double elapsed() const;
  std::string text(std::int64_t done, double share, const std::string& current, std::size_t width) const;

  std::int64_t total_;
  std::string unit_, beside_;
  bool quiet_, terminal_;
  std::chrono::steady_clock::time_point start_, last_;
  bool drawn_ = false;
};

/// "12/160 results  3/40 samples  0.71/s  3m20s left  ruler/vt sample 4".
std::string progress_text(std::int64_t done, std::int64_t total, const std::string& unit, double share, double seconds,
                          const std::string& current, const std::string& beside = "");

/// "1h02m", "3m20s", "12s".
std::string format_duration(double seconds);

}  // namespace kvmend
