// `kvmend selftest`: what it prints and how it ends; tests/selftest tests what it finds.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "app/program.h"
#include "catch.h"

using namespace kvmend::test;
using Catch::Matchers::Contains;

TEST_CASE("every command with a device says that auto is the CPU") {
  for (const char* command : {"run", "recycle", "select", "generate", "logits", "bench", "selftest"}) {
    INFO(command);
    const std::string help = kvmend::test::kvmend({command, "--help"}).out;
    CHECK_THAT(std::regex_replace(help, std::regex("\\s+"), " "),
               Contains("auto: the CPU; a card only where it is named"));
  }
}

TEST_CASE("selftest compares every operation of the CPU with the reference") {
  const auto result = kvmend::test::kvmend({"selftest", "--device", "cpu", "--no-timing"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("cpu: ") && Contains("all agree") && Contains("dequantise Q4_K"));
  CHECK_THAT(result.out, !Contains("WRONG") && !Contains("GB/s"));
}

TEST_CASE("selftest times operations as shares of the machine's peak") {
  const auto result =
      kvmend::test::kvmend({"selftest", "--device", "cpu", "--dtype", "bf16", "--only", "rms_norm", "--json"});
  CHECK(result.code == 0);
  std::istringstream lines(result.out);
  int timed = 0, cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const auto c = nlohmann::json::parse(line);
    CHECK(c.at("ok") == true);
    CHECK(c.at("dtype") == "bf16");
    CHECK(c.at("error").get<double>() <= c.at("tolerance").get<double>());
    if (c.at("seconds").is_null()) continue;
    ++timed;
    CHECK(c.at("bound") == "memory");
    CHECK(c.at("share").get<double>() > 0);
  }
  CHECK(cases == 3);
  CHECK(timed == 2);
  const auto text =
      kvmend::test::kvmend({"selftest", "--device", "cpu", "--dtype", "f32", "--only", "rms_norm, by head"});
  CHECK_THAT(text.out,
             Contains("peak in f32: ") && Contains("GB/s") && Contains("compared with the reference: 1, all agree"));
}

TEST_CASE("selftest of what is not there says so") {
  const auto unknown = kvmend::test::kvmend({"selftest", "--device", "gpu"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Contains("unknown device 'gpu'"));
  const auto none = kvmend::test::kvmend({"selftest", "--only", "rmsnorm"});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, Contains("no operation has that in its name") && Contains("rms_norm"));
}

TEST_CASE("selftest of a card runs every kernel", "[.selftest_card]") {
  const auto result = kvmend::test::kvmend({"selftest", "--device", "cuda", "--json", "--no-timing"});
  INFO(result.out << result.err);
  CHECK(result.code == 0);
  std::istringstream lines(result.out);
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const auto c = nlohmann::json::parse(line);
    CHECK(c.at("ok") == true);
    CHECK(c.at("device") == "cuda");
    CHECK(c.at("seconds").is_null());
  }
  CHECK(cases > 80);
}

TEST_CASE("selftest of an emulated card gives no times", "[.selftest_card]") {
  const auto result = kvmend::test::kvmend({"selftest", "--device", "cuda", "--only", "add"});
  if (result.out.find("emulated") == std::string::npos) return;  // a real card: it has times
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("not timed: this device's peak is not known") && !Contains("GB/s"));
}

TEST_CASE("selftest without a driver, or with an old one, says what is missing", "[.selftest_card]") {
  const char* options = std::getenv("SIMT");
  if (options == nullptr) return;  // a real card has its driver
  const std::string before = options;
  for (const auto& [missing, words] :
       {std::pair{"no_driver=1", "no NVIDIA driver"}, {"old_driver=1", "update the driver"}}) {
    setenv("SIMT", missing, 1);
    const auto result = kvmend::test::kvmend({"selftest", "--device", "cuda"});
    CHECK(result.code == 4);
    CHECK_THAT(result.err, Contains(words) && Contains("--device cpu"));
  }
  setenv("SIMT", before.c_str(), 1);
}
