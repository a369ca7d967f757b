#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "catch.h"
#include "core/cancel.h"

using namespace kvmend;

namespace {

/// How a child that runs `body` ends.
template <class Body>
int status_of(Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(body());
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("each stop signal asks to stop and names itself") {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const int status = status_of([signal] {
      install_stop_signals();
      if (stop_requested() != 0) return 1;
      std::raise(signal);
      return stop_requested() == signal ? 0 : 2;
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("a second SIGINT ends the process at once") {
  const int status = status_of([] {
    install_stop_signals();
    std::raise(SIGINT);
    std::raise(SIGINT);
    return 0;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("a stop can be asked for without a signal") {
  const int status = status_of([] {
    request_stop(SIGTERM);
    return stop_requested() == SIGTERM ? 0 : 1;
  });
  CHECK(WEXITSTATUS(status) == 0);
}
