// The report's sample browser over several stores.
#include <zlib.h>

#include <nlohmann/json.hpp>
#include <set>

#include "catch.h"
#include "experiment/report/parts.h"
#include "graded.h"

using namespace kvmend;

namespace {

/// What pack_block packed.
nlohmann::json unpack(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t word = 0;
  int bits = 0;
  for (const char c : base64) {
    if (c == '=' || c == '\n') break;
    word = word << 6 | static_cast<std::uint32_t>(digits.find(c));
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(word >> bits & 255U);
  }
  std::string text(1 << 20, '\0');
  uLongf size = text.size();
  const int status = uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  REQUIRE(status == Z_OK);
  return nlohmann::json::parse(text.substr(0, size));
}

std::string config_of(const std::string& strategies) {
  return "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 4}]\nstrategies: [" + strategies + "]\nratios: [0.2]\n";
}

/// epic is always right; prophetkv is wrong on sample 2; full failed on sample 1 in the store that says so.
SyntheticResult answers(bool full_fails) {
  return [full_fails](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    r.score = cell.strategy == "prophetkv" && position == 2 ? 0 : 1;
    r.prediction = cell.strategy + " says";
    if (cell.strategy == "prophetkv") r.outcome.selected = {4, 5};
    if (full_fails && cell.strategy == "full" && position == 1) r.outcome.error = "out of memory";
    return r;
  };
}

}  // namespace

TEST_CASE("a sample that two stores share has the results of both, each once") {
  const Filled a(config_of("full, epic"), 4, answers(true)), b(config_of("full, prophetkv"), 4, answers(false));
  ReportQuery query;
  const ReportSamples samples = report_samples({a.path, b.path}, load_table_data({a.path, b.path}), query);
  CHECK(samples.count == 4);
  CHECK(samples.default_b == "prophetkv, 20 %");
  std::vector<std::string> labels;
  for (const auto& cell : samples.cells) labels.push_back(cell["label"]);
  CHECK(labels == std::vector<std::string>{"full", "epic, 20 %", "prophetkv, 20 %"});

  const auto all = unpack(samples.all);
  REQUIRE(all.size() == 4);
  CHECK(all[0][0] == "vt-42-2");  // strategies of the two stores disagree on it
  for (const auto& sample : all) {
    CAPTURE(sample.dump());
    CHECK(sample[3] == nlohmann::json({0, 1, 2}));
    CHECK(sample[4] ==
          nlohmann::json({1.0, 1.0, sample[0] == "vt-42-2" ? 0.0 : 1.0}));  // what failed in one store is another's
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& said = sample[6][sample[5][i].get<std::size_t>()];
      CHECK(said == std::vector<std::string>{"full says", "epic says", "prophetkv says"}[i]);
    }
  }

  // Selections come from both stores as well.
  REQUIRE(samples.with_text == 4);
  const auto text = unpack(samples.texts.substr(0, samples.texts.find('\n')));
  REQUIRE(text["selected"].size() == 3);
  CHECK(text["selected"][0] == nlohmann::json({0, {0, 10}}));
  CHECK(text["selected"][1] == nlohmann::json({1, {0, 2}}));
  CHECK(text["selected"][2] == nlohmann::json({2, {4, 2}}));
}

TEST_CASE("the same store twice makes the page of one") {
  const Filled store(config_of("full, epic, prophetkv"), 4, answers(false));
  const ReportQuery query;
  const ReportSamples once = report_samples({store.path}, load_table_data({store.path}), query),
                      twice =
                          report_samples({store.path, store.path}, load_table_data({store.path, store.path}), query);
  CHECK(once.all == twice.all);
  CHECK(once.texts == twice.texts);
  CHECK(once.cells == twice.cells);
}
