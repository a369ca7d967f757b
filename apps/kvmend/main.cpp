#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <string_view>
#include <system_error>

#include "apps/kvmend/command.h"
#include "apps/kvmend/version.h"
#include "core/error.h"
#include "core/suggest.h"

namespace kvmend {
namespace {

/// CLI11's words for what is wrong with the command line, with the nearest known name where one was mistyped.
int report_usage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  std::string hint;
  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    for (const auto& command : commands()) {
      if (!command.hidden) names.emplace_back(command.name);
    }
    bool known = false;
    for (const auto& name : names) known = known || name == argv[1];
    if (!known) {
      fmt::print(stderr, "kvmend: unknown command '{}'{}\n", argv[1], did_you_mean(argv[1], names));
      return static_cast<int>(ErrorKind::usage);
    }
    hint = fmt::format("; see 'kvmend {} --help'", argv[1]);
  } else {
    hint = "; see 'kvmend --help'";
  }
  fmt::print(stderr, "kvmend: {}{}\n", error.what(), hint);
  return static_cast<int>(ErrorKind::usage);
}

int run(int argc, char** argv) {
  CLI::App app{"kvmend compares strategies for reusing the KV caches of retrieved passages.", "kvmend"};
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done; 1 a defect of ours; 2 usage or config; 3 a model or data file; 4 device or memory;\n"
      "5 some cells failed; 130 interrupted.");
  std::map<const CLI::App*, std::unique_ptr<Command>> made;
  for (const auto& entry : commands()) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.summary);
    sub->footer(std::string("Example:\n  ") + entry.example);
    if (entry.hidden) sub->group("");
    made[sub] = entry.make(*sub);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error, argc, argv);
  }
  return made.at(app.get_subcommands().front())->run();
}

}  // namespace
}  // namespace kvmend

/// What stdout could not take: a reader that has seen enough (`kvmend table | head`) is no error, a full disk is one.
int output_failed(int code) {
  if (code == EPIPE) return 0;
  fmt::print(stderr, "kvmend: cannot write to standard output: {}\n", std::strerror(code));
  return static_cast<int>(kvmend::ErrorKind::data);
}

/// fmt reports a failed print so; the operating system's other refusals (files, threads) come the same way.
int system_failed(const std::system_error& error) {
  if (std::string_view(error.what()).starts_with("cannot write to file")) return output_failed(error.code().value());
  fmt::print(stderr, "kvmend: {}\n", error.what());
  return static_cast<int>(kvmend::kind_of(error));
}

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `kvmend table | head` ends by a write error, a dead worker by a closed pipe
  try {
    const int code = kvmend::run(argc, argv);
    errno = 0;
    std::cout.flush();
    return std::fflush(stdout) == 0 && std::cout ? code : output_failed(errno);
  } catch (const std::system_error& error) {
    return system_failed(error);
  } catch (const kvmend::Error& error) {
    fmt::print(stderr, "kvmend: {}\n", error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "kvmend: out of memory\n");
    return static_cast<int>(kvmend::ErrorKind::device);
  } catch (const std::exception& error) {
    fmt::print(stderr, "kvmend: internal error: {}\n", error.what());
    return static_cast<int>(kvmend::ErrorKind::internal);
  }
}
