#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace kvmend {

struct SweepOptions {
  std::vector<std::filesystem::path> configs;
  std::vector<std::string> settings;
  std::filesystem::path store;  ///< empty: NAME.kvmend in the working directory
  int shard = 1, shards = 1;    ///< samples i with i mod shards = shard − 1, with all their cells
  int limit = -1;               ///< samples a task at most; −1: the config's
  double max_seconds = 0;       ///< ends after the sample in flight once this much time is gone; 0: never
  bool retry_failed = false;    ///< cells that failed before are computed again
  bool quiet = false;
  bool verbose = false;                      ///< a line on stderr for each sample stored
  std::vector<std::string> worker;           ///< command of a worker, without its wire
  std::string version, build, command_line;  ///< for the store's record of the run
};

}  // namespace kvmend
