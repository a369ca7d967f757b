#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace simt {

/// In which order the threads of a block that may run do so: a kernel that is right gives the same under all three.
enum class Schedule : std::uint8_t { forward, reverse, random };

struct Options {
  Schedule schedule = Schedule::forward;
  unsigned seed = 1;                                  ///< of the random schedule
  int workers = 1;                                    ///< host threads that run blocks
  int devices = 1;                                    ///< cards that are seen; a process uses one of them
  std::size_t memory = std::size_t{4} << 30U;         ///< bytes of the device
  std::size_t shared_limit = std::size_t{99} << 10U;  ///< dynamic shared memory a block may opt in to (sm_86's)
  bool report = false;                                ///< the process says at its end what it took
  // What goes wrong, for tests of error paths. A count of −1 never happens.
  bool no_driver = false;
  bool old_driver = false;
  std::int64_t allocations_left = -1;  ///< after that many device allocations there is no memory, for a while:
  int refusals = 1;                    ///< so many allocations fail in a row
  std::int64_t launches_left = -1;     ///< after that many launches one faults
  std::string once;                    ///< the two above happen only to the process that can remove this file
  std::string drivers;  ///< a file with a 1 or 0 for each process to come: whether it finds a driver; those behind do
};

/// At first as the environment variable SIMT says, e.g. "schedule=random,seed=7,memory=64,no_driver=1"
/// (memory in MiB, memory_kib and shared_kib in KiB); unknown words end the program.
Options& options();

/// Counts down; true once, when it was 0, unless `once` lets another process have it.
bool strikes(std::int64_t& left);

/// Options in the form of the variable.
Options parse_options(std::string_view text);

}  // namespace simt
