#pragma once
// Runs the built binary as a user would: arguments in, exit code, stdout and stderr out.
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace kvmend::test {

struct ProgramResult {
  int code = 0;  ///< exit code; −signal if it was killed
  std::string out, err;
};

/// A running kvmend. Its output goes to files, so that nothing blocks.
class Program {
 public:
  Program(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
          const std::string& input = "");
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  pid_t pid() const { return pid_; }
  bool running();
  ProgramResult wait();
  std::string err_so_far() const;

 private:
  std::filesystem::path folder_;
  std::string stem_;
  pid_t pid_ = -1;
  int status_ = 0;
};

/// Runs to the end, in `folder`.
ProgramResult kvmend(const std::vector<std::string>& arguments, const std::filesystem::path& folder = ".",
                     const std::string& input = "");

/// A fresh folder that goes away with the object.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Writes a file in it and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

/// The only child process of `parent`, waiting for it up to ten seconds; −1 if there is none.
pid_t child_of(pid_t parent);

std::string tiny_model(const std::string& name);

}  // namespace kvmend::test
