#include "experiment/plot/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"

extern char** environ;

namespace kvmend::gnuplot {

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

std::string tic_label(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? 2 : 1, c);
  return quote(out);
}

std::string block(const std::string& name, const std::string& rows) {
  return fmt::format("${} << EOD\n{}EOD\n", name, rows);
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
