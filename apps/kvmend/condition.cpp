#include "apps/kvmend/condition.h"

#include "core/error.h"

namespace kvmend {

Condition parse_condition(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) fail(ErrorKind::usage, "--where: '{}' must be dimension=value", text);
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace kvmend
