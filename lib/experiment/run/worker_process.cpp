#include "experiment/run/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace kvmend {
namespace {

/// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become_worker(char* const* argv, pid_t parent, int read_end, int write_end) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::setpgid(0, 0);  // the terminal's Ctrl-C goes to the supervisor, which ends after the sample in flight
  ::fcntl(read_end, F_SETFD, 0);
  ::fcntl(write_end, F_SETFD, 0);
  ::execv(argv[0], argv);
  ::_exit(127);
}

}  // namespace

WorkerProcess::WorkerProcess(const std::vector<std::string>& command) {
  int down[2], up[2];
  // Closed in every process started meanwhile: a worker whose pipe another one holds would never be seen to end.
  if (::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
    fail(ErrorKind::device, "cannot make a pipe: {}", std::strerror(errno));
  std::vector<std::string> words = command;
  words.insert(words.end(), {"--read", std::to_string(down[0]), "--write", std::to_string(up[1])});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become_worker(argv.data(), parent, down[0], up[1]);
  const int error = errno;
  ::close(down[0]);
  ::close(up[1]);
  wire_ = std::make_unique<Wire>(up[0], down[1]);
  if (pid_ < 0) fail(ErrorKind::device, "cannot start a worker: {}", std::strerror(error));
}

WorkerProcess::~WorkerProcess() {
  wire_.reset();
  for (int tries = 0; pid_ > 0 && tries < 500; ++tries) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    ::usleep(10000);
  }
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string WorkerProcess::cause_of_death() {
  int status = 0;
  if (pid_ <= 0 || ::waitpid(pid_, &status, 0) != pid_) return "it is gone";
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const char* hint = WTERMSIG(status) == SIGKILL ? "; out of memory?" : "";
    return fmt::format("signal {} ({}{})", WTERMSIG(status), ::strsignal(WTERMSIG(status)), hint);
  }
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace kvmend
