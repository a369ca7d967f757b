#pragma once
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "experiment/run/wire.h"

namespace kvmend {

/// A worker in a process of its own: exec'd, never forked after threads; it dies with its supervisor, and a terminal's
/// Ctrl-C does not reach it.
class WorkerProcess {
 public:
  /// `command` is executed with "--read FD --write FD" added. Throws Error(device) if no process can be made.
  explicit WorkerProcess(const std::vector<std::string>& command);
  /// Closes the wire and waits; a worker that does not end within seconds is killed.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  const Wire& wire() const { return *wire_; }
  /// Once the wire has ended: waits for the process and says how it died ("signal 11 (Segmentation fault)").
  std::string cause_of_death();

 private:
  pid_t pid_ = -1;
  std::unique_ptr<Wire> wire_;
};

}  // namespace kvmend
