#pragma once
// KV cache recycling as an experiment of its own (arXiv 2512.11851): prompts arrive one after the other, each is answered
// without and with the cache of an earlier one, then stored.
#include <functional>
#include <string>
#include <vector>

#include "cache/chunk_store.h"
#include "core/params.h"
#include "core/value.h"
#include "experiment/config/config.h"
#include "recompute/prompt_store.h"

namespace kvmend {

template <>
struct EnumNames<Lookup> {
  static constexpr std::array names{std::pair{Lookup::nearest, "nearest"},
                                    std::pair{Lookup::longest_prefix, "longest_prefix"}};
};

/// One config file: `kvmend recycle CONFIG`.
struct RecycleConfig {
  std::string model, encoder = "all-minilm-l6-v2", prompts;
  int samples = 0;
  std::vector<Lookup> lookups{Lookup::nearest, Lookup::longest_prefix};
  int neighbours = 1;
  int max_new_tokens = 16;
  ComputeType dtype = ComputeType::f32;
  LoadFrom load_from = LoadFrom::host;
  std::string cache_dir{}, memory = "4GiB";
  std::string device = "auto";
  int threads = 0;
  std::filesystem::path folder{};  ///< of the config: relative files are looked up there

  template <class V>
  static void fields(RecycleConfig& p, V& v) {
    v("model", p.model, "a name `kvmend fetch` knows, a .gguf file, or a Hugging Face folder");
    v("encoder", p.encoder, "sentence encoder that finds the nearest stored prompt");
    v("prompts", p.prompts, "JSON lines of {prompt, id?} in arrival order");
    v("samples", p.samples, "prompts, from the first on; 0: all", at_least(0));
    v("lookups", p.lookups, "nearest: by embedding, reused if an exact prefix; longest_prefix: the upper bound");
    v("neighbours", p.neighbours, "nearest stored prompts that are tried", at_least(1));
    v("max_new_tokens", p.max_new_tokens, "tokens of each answer", between(1, 1 << 20));
    v("dtype", p.dtype, "f32 or bf16");
    v("load_from", p.load_from, "where stored caches lie: device, host memory, or disk");
    v("cache_dir", p.cache_dir, "folder of caches on disk; load_from: disk needs one");
    v("memory", p.memory, "stored caches kept in memory at most");
    v("device", p.device, "cpu, reference, cuda or cuda:N; auto: the CPU");
    v("threads", p.threads, "0: all processors of this process", between(0, 4096));
  }
};

/// Every error at once in one Error(usage), each with file:line:column. `settings`: key=value of --set.
RecycleConfig load_recycle_config(const std::filesystem::path& path, const std::vector<std::string>& settings = {});

/// One prompt with one lookup.
struct RecycleRow {
  std::string prompt_id;
  Lookup lookup = Lookup::nearest;
  int tokens = 0;             ///< of the prompt
  std::string nearest;        ///< id of the stored prompt that lookup put first; empty: none was stored
  double similarity = 0;      ///< its cosine; Lookup::nearest only
  bool prefix_match = false;  ///< a stored cache was reused
  int reuse_depth = 0;        ///< tokens of it
  double latency_s = 0;       ///< lookup (embedding included), loading, placing, prefill of the rest, decoding
  double ttft_s = 0;          ///< the same up to the first token
  double lookup_s = 0, load_s = 0;
  double baseline_s = 0, baseline_ttft_s = 0;  ///< full prefill and decoding
  bool equal = false;                          ///< the answers are the same tokens
  double logit_difference = 0;                 ///< largest, at the first token
};

struct RecycleResult {
  std::vector<RecycleRow> rows;  ///< by prompt, then lookup
  int prompts = 0;
  double store_s = 0;             ///< prefilling and writing caches for later prompts: in no latency
  std::int64_t stored_bytes = 0;  ///< of all prompts' caches
  ChunkStoreStats cache;
  std::string model, encoder, device, dtype;
};

/// `on_prompt`: called before each prompt. Throws Error(usage) for a prompt that does not fit the model, as opening models
/// does, and Error(data) for a malformed stream. Prompts are taken as they are, without a chat format.
RecycleResult run_recycling(const RecycleConfig& config,
                            const std::function<void(int done, int prompts)>& on_prompt = {});

/// For people: what each lookup saved. Medians and totals over prompts.
std::string recycle_text(const RecycleResult& result);
/// One JSON object a row.
std::string recycle_json(const RecycleResult& result);

}  // namespace kvmend
