#pragma once
// Who registers: the program itself, before main, or a plugin while it is loaded.
#include <string>
#include <vector>

namespace kvmend::registry_detail {

/// Selectors that register while it lives come from this file. Nothing is thrown through the dynamic loader: what is wrong
/// is noted, and a plugin with problems leaves no selector behind unless `keep` is called.
class PluginScope {
 public:
  PluginScope(std::string file, std::string sha256);
  ~PluginScope();
  PluginScope(const PluginScope&) = delete;
  PluginScope& operator=(const PluginScope&) = delete;
  void keep() { kept_ = true; }

  const std::string file, sha256;
  std::vector<std::string> names;     ///< registered so far
  std::vector<std::string> problems;  ///< one line each

 private:
  bool kept_ = false;
};

}  // namespace kvmend::registry_detail
