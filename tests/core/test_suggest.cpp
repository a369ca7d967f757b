#include "catch.h"
#include "core/suggest.h"

using namespace kvmend;

namespace {
const std::vector<std::string> names{"prophetkv", "cacheblend", "epic", "random", "reuse", "full"};
}

TEST_CASE("the nearest name is found within a third of the word") {
  CHECK(nearest_name("prohpetkv", names) == "prophetkv");  // two letters swapped
  CHECK(nearest_name("epik", names) == "epic");
  CHECK(nearest_name("resue", names) == "reuse");
  CHECK(nearest_name("cacheblen", names) == "cacheblend");
  CHECK(nearest_name("proph", names) == "prophetkv");  // the beginning of a name
  CHECK(nearest_name("xyz", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("anything", {}).empty());
}

TEST_CASE("with nothing near a short list is shown whole, a long one not") {
  CHECK(did_you_mean("prohpetkv", names) == "; did you mean 'prophetkv'?");
  CHECK(did_you_mean("xyz", {"a", "b"}) == "; known: a, b");
  CHECK(did_you_mean("xyz", std::vector<std::string>(13, "long_name")).empty());
}
