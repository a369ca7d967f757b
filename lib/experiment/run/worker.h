#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "experiment/config/config.h"
#include "experiment/run/wire.h"

namespace kvmend {

/// What a worker is told on its command line; the rest comes over the wire.
struct WorkerJob {
  std::vector<std::filesystem::path> configs;
  std::vector<std::string> settings;
  std::string digest;  ///< config_digest of what the supervisor read: a file changed meanwhile is noticed
  std::string device;  ///< the one of the config's that this worker is for; empty: the config's
};

/// SHA-256 over the canonical config.
std::string config_digest(const Config& config);

/// Loads the model, says {"op": "ready"}, then answers one {"op": "sample", task, chunker, position, cells} after the other
/// with {"op": "cell", cell} as each begins and {"op": "done", hash, outcomes}. Errors that end it are sent as
/// {"op": "fatal", kind, message}, a device that answers this process no more as {"op": "lost", message}. Returns when the
/// other end closes.
void run_worker(const WorkerJob& job, const Wire& wire);

}  // namespace kvmend
