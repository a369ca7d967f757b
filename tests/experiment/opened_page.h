#pragma once
// A report's page as a browser shows it. Tests ask has_program("chromium") first.
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "catch.h"
#include "core/file.h"
#include "temp_folder.h"

namespace kvmend {

/// Opens a page in headless Chromium; what its script left in <pre id="seen">, and what the console said.
struct Opened {
  nlohmann::json seen;
  std::string console;
};
inline Opened open_page(const TempFolder& folder, std::string html, const std::string& script,
                        const std::string& options = "") {
  html.insert(html.rfind("</body>"), "<script>\"use strict\";\n" + script + "\n</script>\n");
  folder.write("page.html", html);
  const std::string at = folder.path().string();
  const std::string command = "cd " + at + " && HOME=" + at +
                              " timeout 90 chromium --headless=new --no-sandbox --disable-gpu "
                              "--disable-dev-shm-usage --user-data-dir=" +
                              at +
                              "/profile --virtual-time-budget=15000 "
                              "--enable-logging=stderr " +
                              options + " --dump-dom file://" + at + "/page.html > dom.html 2> log";
  REQUIRE(std::system(command.c_str()) == 0);
  const std::string dom = read_file(folder / "dom.html");
  const std::string open = "<pre id=\"seen\">";
  const std::size_t begin = dom.find(open);
  REQUIRE(begin != std::string::npos);
  std::string text = dom.substr(begin + open.size(), dom.find("</pre>", begin) - begin - open.size());
  for (const auto& [entity, sign] : {std::pair("&lt;", "<"), {"&gt;", ">"}, {"&amp;", "&"}})
    text = std::regex_replace(text, std::regex(entity), sign);
  Opened out{nlohmann::json::parse(text), ""};
  std::istringstream log(read_file(folder / "log"));
  for (std::string line; std::getline(log, line);) {
    if (line.find("CONSOLE") != std::string::npos) out.console += line + "\n";
  }
  return out;
}

}  // namespace kvmend
