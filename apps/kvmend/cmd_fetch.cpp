#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "apps/kvmend/commands.h"
#include "core/error.h"
#include "core/install_paths.h"

namespace kvmend {
namespace {

/// Hands over to scripts/fetch, which reads configs/models and checks every file's SHA-256.
class Fetch final : public Command {
 public:
  explicit Fetch(CLI::App& app) {
    app.add_option("name", names_, "models or datasets, see 'kvmend list models'");
    app.add_option("--dir", dir_, "the folder they go to");
  }

  int run() override {
    const std::string script = shipped_path("scripts/fetch").string();
    std::vector<std::string> arguments{script};
    if (names_.empty()) arguments.emplace_back("--list");
    if (!dir_.empty()) arguments.insert(arguments.end(), {"--dir", dir_});
    arguments.insert(arguments.end(), names_.begin(), names_.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(script.c_str(), argv.data());
    fail(ErrorKind::data, "{}: cannot execute: {}", script, std::strerror(errno));
  }

 private:
  std::vector<std::string> names_;
  std::string dir_;
};

}  // namespace

std::unique_ptr<Command> make_fetch(CLI::App& app) { return std::make_unique<Fetch>(app); }

}  // namespace kvmend
