#include "experiment/report/report.h"

#include <nlohmann/json.hpp>
#include <regex>

#include "catch.h"
#include "core/error.h"
#include "experiment/report/parts.h"
#include "graded.h"
#include "opened_page.h"
#include "tools.h"

using namespace kvmend;
using Catch::Matchers::Contains;

namespace {

/// Does what a reader does, step by step, and notes what is to be seen.
const std::string reader = R"js(
const seen = {};
const pause = () => new Promise((done) => setTimeout(done, 150));
const key = (name) => $("list").dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
const choose = (id, value) => { $(id).value = value; $(id).dispatchEvent(new Event("change")); };
const place = (name) => [...$("table").tHead.rows[0].cells].findIndex((th) => th.textContent.startsWith(name));
const head = (name) => $("table").tHead.rows[0].cells[place(name)];
const column = (name) => [...$("table").tBodies[0].rows].map((row) => row.cells[place(name)].textContent);
const chosen = () => [...$("list").children].findIndex((item) => item.getAttribute("aria-selected") === "true");
// Of a token that every ratio selects, in its colours over the page's (WCAG 2.1).
const contrast = () => {
  const token = $("sample").appendChild(element("span", {style: heat(0)}, "x"));
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const [r, g, b, alpha] = numbers(getComputedStyle(token).backgroundColor);
  const under = numbers(getComputedStyle(document.body).backgroundColor);
  const light = (rgb) => rgb.map((x) => x / 255).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const two = [light(numbers(getComputedStyle(token).color)), light([r, g, b].map((x, i) => alpha * x + (1 - alpha) * under[i]))];
  token.remove();
  return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
};
(async () => {
  while (!document.documentElement.hasAttribute("data-ready")) await pause();
  seen.scrolled = scrollY;
  seen.dark = getComputedStyle(document.body).backgroundColor;
  const score = head("score").firstChild;
  score.click(); seen.falling = column("score"); seen.sort = head("score").getAttribute("aria-sort");
  score.click(); seen.rising = column("score");
  head("strategy").firstChild.click(); seen.names = column("strategy");
  choose("table-task", "ruler/vt"); seen.tasks = column("task");
  seen.caption = $("table").caption.textContent; seen.folded = [place("model"), place("chunker")];
  seen.first = getComputedStyle($("table").tBodies[0].rows[0].cells[0]).position;
  seen.samples = $("list").children.length;
  choose("f-a", "full"); choose("f-b", "prophetkv, max, 20 %"); choose("f-show", "a-not-b");
  seen.filtered = $("list").children.length; seen.marks = [...$("list").children].map((item) => item.lastChild.textContent);
  choose("f-show", "all");
  key("ArrowDown"); key("j"); seen.down = chosen();
  key("k"); seen.up = chosen();
  key("End"); seen.end = chosen();
  key("Home"); await pause(); await pause();
  seen.prompt = document.querySelector("#sample .prompt:not(span)").innerText;
  seen.heat = [...document.querySelectorAll("#sample div.prompt span[title^=selected]")].map((span) => [span.textContent, span.title]);
  seen.evidence = [...document.querySelectorAll("#sample div.prompt .e")].map((span) => span.textContent).join("");
  seen.shown = document.querySelector("#sample select").value;
  seen.rows = document.querySelectorAll("#sample tbody tr").length;
  seen.insertions = document.querySelectorAll("#sample ins").length;
  $("f-text").value = "no such text"; $("f-text").dispatchEvent(new Event("input")); seen.none = $("list").children.length;
  seen.contrast = [contrast()];
  $("theme").click(); seen.contrast.push(contrast()); seen.toggled = getComputedStyle(document.body).backgroundColor;
  seen.figures = document.querySelectorAll("figure svg").length;
  const focusable = [...document.querySelectorAll("button, select, input, [tabindex], a[href]")];
  seen.unlabelled = focusable.filter((e) => !(e.textContent || e.getAttribute("aria-label") || e.labels?.length)).length;
  document.body.append(element("pre", {id: "seen"}, JSON.stringify(seen)));
})();
)js";

}  // namespace

TEST_CASE("the page sorts, filters, shows samples, obeys keys and the theme, without a word on the console") {
  std::string config = synthetic_config;  // with a label that has a comma
  config.replace(config.find("prophetkv"), 9, "prophetkv: {as: \"prophetkv, max\"}");
  const Filled store(config);
  ReportQuery query;
  query.plots = has_program("gnuplot");
  const Report report = make_report({store.path}, query);
  CHECK(report.samples == 60);
  CHECK(report.with_text == 60);
  // Nothing is fetched: no address but names of XML and those within the page.
  CHECK_FALSE(std::regex_search(report.html, std::regex("(src|href)=['\"]?(https?:)?//")));
  if (!has_program("chromium")) return;
  const TempFolder folder;
  const Opened page = open_page(folder, report.html, reader);
  CHECK(page.console == "");
  const auto& seen = page.seen;
  CHECK(seen["scrolled"] == 0);  // it opens at its top
  CHECK(seen["sort"] == "descending");
  CHECK_THAT(seen["falling"][0].get<std::string>(), Catch::StartsWith("96.7"));
  CHECK_THAT(seen["rising"][0].get<std::string>(), Catch::StartsWith("6.7"));
  CHECK(seen["names"][0] == "full");
  CHECK(seen["names"].back() == "random");
  for (const auto& task : seen["tasks"]) CHECK(task == "ruler/vt");
  CHECK(seen["tasks"].size() == 6);
  CHECK(seen["samples"] == 60);
  CHECK(seen["filtered"] > 0);
  CHECK(seen["filtered"] < 40);
  for (const auto& marks : seen["marks"]) CHECK(marks == "✓ ✗");
  CHECK(seen["down"] == 2);
  CHECK(seen["up"] == 1);
  CHECK(seen["end"] == 59);
  CHECK_THAT(seen["prompt"].get<std::string>(), Contains("a b") && Contains("k l"));
  CHECK(seen["heat"][0][0] == "a b");  // the first two of ten tokens, at 20 %; five at 50 %
  CHECK(seen["heat"][0][1] == "selected from 20 %");
  CHECK_THAT(seen["evidence"].get<std::string>(), Contains("d e"));
  CHECK(seen["shown"] == "prophetkv, max");  // B's
  CHECK_THAT(seen["caption"].get<std::string>(), Contains("model: tiny · chunker: "));
  CHECK(seen["folded"] == nlohmann::json({-1, -1}));
  CHECK(seen["first"] == "sticky");
  for (const auto& contrast : seen["contrast"]) CHECK(contrast >= 4.5);
  CHECK(seen["rows"] == 8);
  CHECK(seen["none"] == 0);
  CHECK(seen["dark"] == "rgb(255, 255, 255)");
  CHECK(seen["toggled"] == "rgb(20, 24, 29)");
  CHECK(seen["unlabelled"] == 0);
  if (query.plots) CHECK(seen["figures"] >= 3);
}

TEST_CASE("a reader who prefers dark gets dark") {
  if (!has_program("chromium")) return;
  const Filled store(synthetic_config, 2);
  ReportQuery query;
  query.plots = false;
  const TempFolder folder;
  const Opened page = open_page(folder, make_report({store.path}, query).html,
                                "document.body.append(element('pre', {id: 'seen'}, JSON.stringify(getComputedStyle("
                                "document.body).backgroundColor)));",
                                "--blink-settings=preferredColorScheme=0");
  CHECK(page.seen == "rgb(20, 24, 29)");
}

TEST_CASE("text goes to the samples on which strategies disagree; the others keep scores and predictions") {
  const Filled store;
  ReportQuery query;
  query.plots = false;
  query.samples = 7;
  const Report report = make_report({store.path}, query);
  CHECK(report.with_text == 7);
  const TableData data = load_table_data({store.path});
  const ReportSamples samples = report_samples({store.path}, data, query);
  CHECK(samples.count == 60);
  CHECK(std::count(samples.texts.begin(), samples.texts.end(), '\n') == 7);
  CHECK(samples.default_a == "full");
  query.where = {{"task", "ruler/vt"}};
  CHECK(make_report({store.path}, query).samples == 30);
}

TEST_CASE("what models write cannot leave the page's data") {
  const Filled store(synthetic_config, 2, [](const CellRecord& cell, int position) {
    ResultRecord r = synthetic_result(cell, position);
    r.prediction = "</script><script>alert(1)</script> \xff <!-- & \"";
    return r;
  });
  ReportQuery query;
  query.plots = false;
  const std::string html = make_report({store.path}, query).html;
  CHECK(html.find("alert(1)") == std::string::npos);  // packed
  CHECK(script_json({{"a", "</script>"}}).find('<') == std::string::npos);
  CHECK(escape_html("<a & \"b\">") == "&lt;a &amp; &quot;b&quot;&gt;");
}

TEST_CASE("the report says of an approximation that it is one") {
  const Filled store("name: x\nmodel: m\ntasks: [ruler/vt: {samples: 2}]\nstrategies: [epic, kvshare]\nratios: [0.2]\n",
                     2);
  ReportQuery query;
  query.plots = false;
  const std::string html = make_report({store.path}, query).html;
  CHECK_THAT(html, Contains("\"kvshare: approximation; no formula of arXiv 2503.16525 is public\""));
  CHECK_THAT(html, Contains("[\"kvshare (approximation)\",0.2,"));            // the table's row
  CHECK_THAT(html, Contains("\"label\":\"kvshare (approximation), 20 %\""));  // beside each sample
  CHECK_THAT(html, !Contains("epic ("));
}

TEST_CASE("10,000 samples make a page of less than 60 MB", "[.slow]") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/vt: {samples: 10000}]\n"
      "strategies: [full, no_context, reuse, epic, cacheblend, prophetkv]\nratios: [0.05, 0.1, 0.2, 0.5]\n",
      10000, [](const CellRecord& cell, int position) {
        ResultRecord r = graded_result(cell, position);
        r.prediction = "The special magic number mentioned in the text is " +
                       std::to_string(position * 7919 % 10000000) +
                       (r.score > 0 ? "." : fmt::format(", or so says {}", cell.key.substr(0, 6)));
        return r;
      });
  ReportQuery query;
  query.plots = false;
  CHECK(make_report({store.path}, query).html.size() < 60'000'000);
}

TEST_CASE("a report of samples with cut evidence holds those alone") {
  const Filled store;
  {
    Store open = Store::open(store.path, Store::Mode::write);
    open.database().execute("UPDATE samples SET evidence = '[[5,7]]' WHERE position % 3 = 0");
  }
  ReportQuery query;
  query.plots = false;
  CHECK(make_report({store.path}, query).samples == 60);
  query.where = {{"evidence", "cut"}};
  CHECK(make_report({store.path}, query).samples == 20);
}

TEST_CASE("each chunker has its figures, and the page says which are missing and why") {
  const Filled store(
      "name: x\nmodel: m\ntasks: [ruler/niah_single_1: {length: 2048, samples: 4}]\n"
      "chunker: [{fixed: 64}, {fixed: 256}]\nstrategies: [full, epic, prophetkv]\nratios: [0.1, 0.2]\n",
      4);
  if (has_program("gnuplot")) {
    const Report report = make_report({store.path}, {});
    for (const char* caption :
         {"Quality against chunk size<", "95 % intervals: fixed: 64<", "95 % intervals: fixed: 256<",
          "by phase, medians: fixed: 256<", "select the same: fixed: 64<", "length and depth: fixed: 256<"}) {
      CHECK_THAT(report.html, Contains(caption));
    }
    CHECK(report.notes.empty());
  }
  const Environment no_programs("PATH", store.folder.path().string());
  const Report bare = make_report({store.path}, {});
  REQUIRE(bare.notes.size() == 1);
  CHECK_THAT(bare.notes[0], Contains("there are no plots: gnuplot is not installed"));
  CHECK_THAT(bare.html, Contains("<p>there are no plots: gnuplot is not installed"));
}
