#include "app/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "catch.h"
#include "core/file.h"
#include "paths.h"

namespace kvmend::test {

namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

Program::Program(const std::vector<std::string>& arguments, const fs::path& folder, const std::string& input)
    : folder_(fs::absolute(folder)) {
  static std::atomic<int> count{0};
  stem_ = "/.program-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
  std::ofstream(folder_.string() + stem_ + ".in", std::ios::binary) << input;
  std::vector<std::string> words{binary_folder() + "/bin/kvmend"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string in = folder_.string() + stem_ + ".in", out = folder_.string() + stem_ + ".out",
                    err = folder_.string() + stem_ + ".err";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(::open(in.c_str(), O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  REQUIRE(pid_ > 0);
}

Program::~Program() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const char* end : {".in", ".out", ".err"}) fs::remove(folder_.string() + stem_ + end);
}

bool Program::running() {
  if (pid_ <= 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

ProgramResult Program::wait() {
  if (pid_ > 0) ::waitpid(pid_, &status_, 0);
  pid_ = -1;
  ProgramResult result;
  result.code = WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
  result.out = content(folder_.string() + stem_ + ".out");
  result.err = content(folder_.string() + stem_ + ".err");
  return result;
}

std::string Program::err_so_far() const { return content(folder_.string() + stem_ + ".err"); }

ProgramResult kvmend(const std::vector<std::string>& arguments, const fs::path& folder, const std::string& input) {
  return Program(arguments, folder, input).wait();
}

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "kvmend-app-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TempFolder::write(const std::string& name, const std::string& text) const {
  const fs::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

pid_t child_of(pid_t parent) {
  const fs::path children = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
  for (int tries = 0; tries < 1000; ++tries) {
    pid_t child = -1;
    if (std::ifstream(children) >> child) return child;
    ::usleep(10000);
  }
  return -1;
}

std::string tiny_model(const std::string& name) { return source_folder() + "/tests/data/models/" + name; }

}  // namespace kvmend::test
