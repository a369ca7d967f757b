#pragma once
// A config's keys, declared once: reading, the names that messages suggest, and `kvmend list config` start here.
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "core/params.h"
#include "experiment/config/config.h"
#include "model/chat.h"

namespace kvmend {

/// The keys with plain values.
struct PlainKeys {
  Config& config;
  template <class V>
  static void fields(PlainKeys& p, V& v) {
    Config& c = p.config;
    const std::string formats =
        fmt::format("chat format: auto (the model's own), {}", fmt::join(chat_format_names(), ", "));
    v("name", c.name, "the run's name; the store is NAME.kvmend; empty: the first file's name");
    v("model", c.model, "a name that fetch knows, a .gguf file, or a Hugging Face folder");
    v("dtype", c.dtype, "what matrix products round to");
    v("chat", c.chat, formats);
    v("system", c.system, "system message");
    v("sink", c.sink, "sink of the strategies that name none");
    v("seed", c.seed, "seed of the tasks that name none");
    v("max_new_tokens", c.max_new_tokens, "instead of the tasks' own", between(1, 1 << 20));
    v("keep_answer_space", c.keep_answer_space, "the answer prefix's leading space stays behind a chat header, too");
    v("load_from", c.load_from, "where chunk caches lie when a request comes");
    v("tokenize", c.tokenize, "the whole prompt at once, or each unit alone");
    v("device", c.device, "cpu, reference, cuda or cuda:N,M; auto: the CPU");
    v("threads", c.threads, "0: all processors", between(0, 4096));
    v("weights", c.weights, "on a card: as computed with, as stored (quantised), or what fits");
  }
};
std::vector<std::string> plain_key_names();

/// The keys that hold more than that; "cache.memory" is a key of the map `cache`.
const std::vector<ParamInfo>& structured_keys();
/// "cache" → {"memory", "disk", …}, in the order declared.
std::vector<std::string> section_keys(const std::string& section);

/// ItemParameters of the registered tasks and strategies.
std::vector<std::string> item_parameters(const std::string& section, const std::string& name);

}  // namespace kvmend
