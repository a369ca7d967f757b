#include "experiment/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "core/suggest.h"

extern char** environ;

namespace kvmend::gnuplot {
namespace {

// Okabe, Ito 2008: told apart by colour-blind readers; the order keeps neighbours apart in grey, too.
constexpr std::array colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F"};
constexpr std::array symbols = {7, 5, 9, 11, 13, 6, 4, 8};  // filled and open circles, squares, triangles, diamonds

std::string style(std::size_t i) {
  const std::size_t round = i / colours.size();
  return fmt::format("lc rgb '{}' pt {} ps 0.8 lw 1.6 dt {}", colours[i % colours.size()],
                     symbols[(i + round) % symbols.size()], i % 4 + 1);
}

std::string block(const std::string& name, const std::string& rows) {
  return fmt::format("${} << EOD\n{}EOD\n", name, rows);
}

}  // namespace

std::string quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    out.append(c == '\'' ? 2 : 1, c);
  }
  return out + "'";
}

std::string preamble(const std::filesystem::path& output, double width, double height) {
  const std::string suffix = output.extension().string();
  std::string terminal;
  int points = 0;  // of small text
  if (suffix == ".svg") {
    terminal =
        fmt::format("svg size {:.0f},{:.0f} font 'Helvetica,12' background '#ffffff'", 100 * width, 100 * height);
    points = 9;
  } else if (suffix == ".png") {
    terminal = fmt::format("pngcairo size {:.0f},{:.0f} font 'Sans,20' linewidth 1.8 pointscale 1.6", 200 * width,
                           200 * height);
    points = 15;
  } else if (suffix == ".pdf") {
    terminal = fmt::format("pdfcairo size {}in,{}in font 'Sans,10'", width, height);
    points = 7;
  } else {
    fail(ErrorKind::usage, "{}: a plot is written as .svg, .png or .pdf (or .gp: the gnuplot script){}",
         output.string(), did_you_mean(suffix, {".svg", ".png", ".pdf", ".gp"}));
  }
  return fmt::format(
      "set encoding utf8\nset terminal {} noenhanced\nset output {}\nset border 3 lw 0.8\nset tics nomirror out scale "
      "0.6\n"
      "set grid ytics lc rgb '#e4e4e4' lt 1 lw 0.6\nset key outside right top vertical Left reverse samplen 2.5 "
      "spacing 1.1\n"
      "set tmargin 3.2\nsmall = ',{}'\n",
      terminal, quote(output.string()), points);
}

std::string tic_label(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return quote(out);
}

std::string caption(const std::string& text) {
  constexpr std::size_t widest = 84;  // characters above a graph of the default size
  std::string first = text, second;
  if (text.size() > widest) {
    const std::size_t at = text.rfind(" · ", widest);
    if (at != std::string::npos) {
      first = text.substr(0, at);
      second = text.substr(at + 4);  // the dot has two bytes
    }
  }
  std::string out =
      fmt::format("set label 1001 {} at graph 0,1 offset 0,{} left\n", quote(first), second.empty() ? 1 : 2);
  if (!second.empty()) out += fmt::format("set label 1002 {} at graph 0,1 offset 0,1 left\n", quote(second));
  return out;
}

std::string line_plot(const std::vector<Series>& series, const std::vector<Series>& levels, Dodge dodge) {
  constexpr std::size_t most = 24, roomy = 12;  // lines that a key of one column holds, and in letters of full size
  const std::size_t lines = series.size() + levels.size();
  if (lines > most)
    fail(ErrorKind::usage, "{} lines are more than a figure holds ({}); choose with --where, e.g. a chunker or a task",
         lines, most);
  std::string data = lines > roomy ? "set key maxcols 1 font small spacing 0.9\n" : "", bars, plots;
  const auto add = [&](const std::string& plot) { plots += ", \\\n     " + plot; };
  double widest = 0;
  for (const Series& s : series) {
    for (const Point& p : s.points) widest = std::max(widest, p.x);
  }
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const Point& point = levels[i].points.front();
    const char* grey = i == 0 ? "#444444" : "#888888";
    if (point.interval) {
      data += fmt::format(
          "set object {} rectangle from graph 0, first {} to graph 1, first {} fc rgb '{}' fs transparent solid 0.1 "
          "noborder behind\n",
          i + 1, point.interval->lo, point.interval->hi, grey);
    }
    add(fmt::format("{} with lines lc rgb '{}' lw 1.2 dt {} title {}", point.y, grey, i % 3 + 2,
                    quote(levels[i].label)));
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::string all, intervals;
    const double place = static_cast<double>(i) - static_cast<double>(series.size() - 1) / 2;
    const double step = place * std::min(0.006, 0.04 / static_cast<double>(series.size()));
    const auto moved = [&](double x) {
      return dodge == Dodge::linear ? x + step * widest : dodge == Dodge::logarithmic ? x * std::exp2(4 * step) : x;
    };
    for (const Point& p : series[i].points) {
      all += fmt::format("{} {}\n", moved(p.x), p.y);
      if (p.interval)
        intervals += fmt::format("{} {} 0 {}\n", moved(p.x), p.interval->lo, p.interval->hi - p.interval->lo);
    }
    data += block(fmt::format("s{}", i), all);
    add(fmt::format("$s{} using 1:2 with {} {} title {}", i, series[i].points.size() > 1 ? "linespoints" : "points",
                    style(i), quote(series[i].label)));
    if (intervals.empty()) continue;
    data += block(fmt::format("e{}", i), intervals);
    bars += fmt::format("{}$e{} using 1:2:3:4 with vectors nohead lc rgb '#70{}' lw 1.2 dt 1 notitle",
                        bars.empty() ? "" : ", ", i, colours[i % colours.size()] + 1);
  }
  if (bars.empty()) plots.erase(0, 2);  // bars come first: points lie on them
  return data + "plot " + bars + plots + "\n";
}

void run(const std::string& script) {
  std::string name = (std::filesystem::temp_directory_path() / "kvmend-plot-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) fail(ErrorKind::data, "{}: cannot write: {}", name, std::strerror(errno));
  ::close(fd);
  const std::string words = name + ".err";
  write_file_atomically(name, script);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, words.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::string program = "gnuplot";
  char* arguments[] = {program.data(), name.data(), nullptr};
  pid_t child = -1;
  const int error = ::posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error == 0) {
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  const std::string said = path_exists(words) ? read_file(words) : "";
  std::error_code ignored;
  std::filesystem::remove(name, ignored);
  std::filesystem::remove(words, ignored);
  if (error == ENOENT || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    fail(ErrorKind::usage,
         "gnuplot is not installed (Debian: apt-get install gnuplot-nox); a name that ends in .gp writes its script");
  if (error != 0) fail(ErrorKind::data, "gnuplot cannot be started: {}", std::strerror(error));
  if (status != 0) fail(ErrorKind::data, "gnuplot failed: {}", said);
}

}  // namespace kvmend::gnuplot
