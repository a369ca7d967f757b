// Stands in for what is not there yet. Weak: a build that links the real one uses that.
#include "model/chat.h"

namespace kvmend {

__attribute__((weak)) std::vector<std::string> chat_format_names() { return {"raw", "chatml", "llama3"}; }

}  // namespace kvmend
