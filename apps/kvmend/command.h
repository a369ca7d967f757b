#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace kvmend {

/// What --device's default is, for the help of every command that has it (docs/gpu.md says why).
inline constexpr const char* auto_device_help = "auto: the CPU; a card only where it is named";

/// One subcommand, one file. Its constructor declares its options on `app`, run() does the work and returns the exit code
/// (0, or 5 when some cells failed); errors are thrown.
class Command {
 public:
  virtual ~Command() = default;
  virtual int run() = 0;
};

/// `name`, one line of help, an example that works, and how to make it.
struct CommandEntry {
  const char* name;
  const char* summary;
  const char* example;
  std::unique_ptr<Command> (*make)(CLI::App& app);
  bool hidden = false;
};

/// In the order that help lists them.
const std::vector<CommandEntry>& commands();

}  // namespace kvmend
