#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "catch.h"
#include "core/thread_pool.h"

using namespace kvmend;

TEST_CASE("every index is visited once, in pieces of at most the grain") {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (const std::int64_t count : {0, 1, 7, 64, 1000}) {
      for (const std::int64_t grain : {0, 1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        std::atomic<bool> good = true;
        pool.parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end, int thread) {
          if (end - begin > std::max<std::int64_t>(grain, 1) || begin >= end || thread < 0 || thread >= threads)
            good = false;
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        CHECK(good);
        for (const auto& n : visits) REQUIRE(n == 1);
      }
    }
  }
}

TEST_CASE("the first exception reaches the caller and the pool goes on working") {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    CHECK_THROWS_AS(pool.parallel_for(100, 1,
                                      [](std::int64_t begin, std::int64_t, int) {
                                        if (begin == 13) throw std::runtime_error("thirteen");
                                      }),
                    std::runtime_error);
    std::atomic<std::int64_t> sum = 0;
    pool.parallel_for(100, 1, [&](std::int64_t begin, std::int64_t, int) { sum += begin; });
    CHECK(sum == 4950);
  }
}

TEST_CASE("many short rounds do not lose one") {
  ThreadPool pool(4);
  std::atomic<int> total = 0;
  for (int round = 0; round < 2000; ++round) {
    pool.parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end, int) { total += static_cast<int>(end - begin); });
  }
  CHECK(total == 16000);
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // they reserve more address space than is left here
TEST_CASE("a pool that the system has no room for throws and leaves no thread waiting") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // a hang is a failure
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t limit = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + (64U << 20U);
    const rlimit space{limit, limit};
    if (::setrlimit(RLIMIT_AS, &space) != 0) ::_exit(2);
    try {
      const ThreadPool pool(4096);
    } catch (const std::exception&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  REQUIRE(child > 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
#endif

TEST_CASE("by default a pool has the processors that the process may use") {
  CHECK(available_processors() >= 1);
  CHECK(ThreadPool().size() == available_processors());
}
