#include "recompute/plugin.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "recompute/plugin_stamp.h"
#include "recompute/registry.h"

namespace kvmend {

namespace fs = std::filesystem;

namespace {

std::vector<Plugin>& plugins() {
  static std::vector<Plugin> all;
  return all;
}

/// "version 0.1.0; headers …; library …" → the value of one of them.
std::string_view stamp_field(std::string_view stamp, std::string_view name) {
  const std::size_t at = stamp.find(name);
  if (at == std::string_view::npos) return "?";
  const std::string_view value = stamp.substr(at + name.size() + 1);
  return value.substr(0, value.find(';'));
}

/// The loader would run into the end of a library that was cut short.
void check_whole(const std::string& file, const std::string& content) {
  Elf64_Ehdr header{};
  if (!content.starts_with(std::string_view(ELFMAG, SELFMAG)) || content.size() < sizeof header) {
    fail(ErrorKind::data, "--plugin {}: is no shared library", file);
  }
  std::memcpy(&header, content.data(), sizeof header);
  const std::uint64_t sections_end = header.e_shoff + std::uint64_t{header.e_shentsize} * header.e_shnum;
  if (header.e_ident[EI_CLASS] == ELFCLASS64 && sections_end > content.size()) {
    fail(ErrorKind::data, "--plugin {}: was cut short: {} bytes of {}", file, content.size(), sections_end);
  }
}

/// The stamp is text in the file: a plugin that does not fit is refused before any of its code runs.
void check_stamp(const std::string& file, const std::string& content) {
  const std::string_view ours = KVMEND_STAMP;
  const std::size_t at = content.find(KVMEND_STAMP_BEGIN);
  check_whole(file, content);
  if (at == std::string::npos) {
    fail(ErrorKind::data, "--plugin {}: is no kvmend plugin; its CMakeLists.txt must link kvmend::plugin", file);
  }
  const std::string theirs = content.c_str() + at + std::string_view(KVMEND_STAMP_BEGIN).size();
  if (theirs == ours) return;
  for (const auto& [field, what] : {std::pair{"version", "kvmend"}, std::pair{"library", "the standard library"}}) {
    if (stamp_field(theirs, field) == stamp_field(ours, field)) continue;
    fail(ErrorKind::data, "--plugin {}: was built for {} {}, this is {}; build it again against this installation",
         file, what, stamp_field(theirs, field), stamp_field(ours, field));
  }
  fail(ErrorKind::data,
       "--plugin {}: was built against other headers than those of this kvmend {} ({}, not {}); build it again against "
       "this installation",
       file, stamp_field(ours, "version"), stamp_field(theirs, "headers"), stamp_field(ours, "headers"));
}

}  // namespace

const std::vector<Plugin>& loaded_plugins() { return plugins(); }

void load_plugin(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) fail(ErrorKind::data, "--plugin {}: no such file", path.string());
  Plugin plugin{fs::canonical(path), "", {}};
  const std::string file = plugin.file.string();
  if (std::any_of(plugins().begin(), plugins().end(), [&](const Plugin& p) { return p.file == plugin.file; })) return;
  const std::string content = read_file(path);
  check_stamp(path.string(), content);
  plugin.sha256 = sha256(content);

  registry_detail::PluginScope scope(file, plugin.sha256);
  // Never closed: the registry holds its functions. All its symbols now: a missing one is told here, not in a sweep.
  if (::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    fail(ErrorKind::data, "--plugin {}: cannot be loaded: {}", path.string(), ::dlerror());
  }
  if (!scope.problems.empty()) fail(ErrorKind::usage, "--plugin {}: {}", path.string(), scope.problems.front());
  if (scope.names.empty()) {
    fail(ErrorKind::usage, "--plugin {}: registers no strategy; is KVMEND_SELECTOR missing?", path.string());
  }
  scope.keep();
  plugin.strategies = scope.names;
  plugins().push_back(std::move(plugin));
}

}  // namespace kvmend
