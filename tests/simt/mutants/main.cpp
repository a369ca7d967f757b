// mutants NAME SCHEDULE: exit code 0 if the result is right, 3 if it is wrong, 4 if the emulator objected; a sanitizer
// has codes of its own. `mutants --list` prints the names.
#include <cstdio>
#include <cstring>

#include "device.h"
#include "mutant.h"
#include "options.h"

int main(int argc, char** argv) {
  const bool list = argc == 2 && std::strcmp(argv[1], "--list") == 0;
  if (!list && argc != 3) {
    std::fprintf(stderr, "usage: mutants NAME forward|reverse|random, or mutants --list\n");
    return 2;
  }
  if (!list) simt::options() = simt::parse_options(std::string("workers=2,schedule=") + argv[2]);
  for (const auto* group : {&mutants::norm_mutants(), &mutants::attention_mutants(), &mutants::top_k_mutants(),
                            &mutants::gemm_mutants(), &mutants::stream_mutants()})
    for (const mutants::Mutant& mutant : *group) {
      if (list) std::puts(mutant.name);
      if (list || std::strcmp(mutant.name, argv[1]) != 0) continue;
      const bool right = mutant.run();
      if (simt::Device::get().sticky() != cudaSuccess) return 4;
      return right ? 0 : 3;
    }
  if (!list) std::fprintf(stderr, "no mutant '%s'\n", argv[1]);
  return list ? 0 : 2;
}
