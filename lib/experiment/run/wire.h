#pragma once
// What supervisor and worker say to each other over a pair of pipes: a length, then one MessagePack object.
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "recompute/outcome.h"

namespace kvmend {

/// One end of the conversation. Owns both descriptors.
class Wire {
 public:
  Wire(int read_fd, int write_fd) : read_fd_(read_fd), write_fd_(write_fd) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// false if the other end is gone.
  bool send(const nlohmann::json& message) const;
  /// nullopt at the end of the stream, also in the middle of a message: the other end died.
  std::optional<nlohmann::json> receive() const;
  int read_fd() const { return read_fd_; }

 private:
  int read_fd_, write_fd_;
};

nlohmann::json to_wire(const Outcome& outcome);
Outcome outcome_from_wire(const nlohmann::json& message);

}  // namespace kvmend
