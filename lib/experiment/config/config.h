#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/chunk_store.h"
#include "core/value.h"
#include "datasets/prompt.h"
#include "datasets/task.h"
#include "experiment/config/source.h"
#include "recompute/strategy.h"

namespace kvmend {

enum class ComputeType : std::uint8_t { f32, bf16 };

template <>
struct EnumNames<ComputeType> {
  static constexpr std::array names{std::pair{ComputeType::f32, "f32"}, std::pair{ComputeType::bf16, "bf16"}};
};
constexpr DType dtype_of(ComputeType type) { return type == ComputeType::bf16 ? DType::bf16 : DType::f32; }

template <>
struct EnumNames<WeightStorage> {
  static constexpr std::array names{std::pair{WeightStorage::automatic, "auto"},
                                    std::pair{WeightStorage::computed, "computed"},
                                    std::pair{WeightStorage::stored, "stored"}};
};
template <>
struct EnumNames<LoadFrom> {
  static constexpr std::array names{std::pair{LoadFrom::device, "device"}, std::pair{LoadFrom::host, "host"},
                                    std::pair{LoadFrom::disk, "disk"}};
};
template <>
struct EnumNames<TokenizeMode> {
  static constexpr std::array names{std::pair{TokenizeMode::whole, "whole"}, std::pair{TokenizeMode::units, "units"}};
};

/// Where chunk caches live (DESIGN: scale).
struct CacheConfig {
  std::uint64_t memory = 0;  ///< bytes; 0: the run decides from what is free
  bool disk = false;
  std::uint64_t limit = std::uint64_t{20} << 30;  ///< bytes on disk
  std::filesystem::path dir;                      ///< empty: the user's cache folder
};

/// One task with one set of parameters: an axis value of the grid.
struct TaskVariant {
  std::string name;   ///< "ruler/niah_multikey_1"
  std::string label;  ///< the name, with the parameters that tell it from others of the same name
  Value params;       ///< canonical, without the sample count and the metric
  int samples = -1;   ///< how many are wanted; -1: all that exist
  int version = 1;
  std::string metric;
  Location where;
};

/// One strategy with one set of parameters. `series` is its label without replicate seeds: rows of tables.
struct StrategyVariant {
  std::shared_ptr<const Strategy> strategy;
  std::string label;   ///< unique in the config
  std::string series;  ///< the label with `seed` left out: `random: {seed: [1, 2]}` is one series
  Location where;
};

/// A checked config: everything a run needs before it opens the model and the data.
struct Config {
  std::string name;
  std::string model;
  ComputeType dtype = ComputeType::bf16;
  WeightStorage weights = WeightStorage::automatic;
  std::vector<TaskVariant> tasks;
  std::vector<Value> chunkers;  ///< canonical specs, at least one
  std::vector<StrategyVariant> strategies;
  std::vector<double> ratios;  ///< ascending, each in [0, 1]
  std::string chat = "auto";
  std::string system;
  std::optional<SinkKind> sink;  ///< what strategies that name none were given
  std::optional<std::int64_t> seed;
  std::optional<int> max_new_tokens;
  bool keep_answer_space = false;  ///< PromptOptions
  CacheConfig cache;
  LoadFrom load_from = LoadFrom::device;
  TokenizeMode tokenize = TokenizeMode::whole;
  bool store_scores = false;
  std::string device = "auto";
  int threads = 0;  ///< of all workers together; 0: all processors this process may use

  std::string text;              ///< the files as written, and the --set options
  std::filesystem::path folder;  ///< relative data files are looked up here
  std::vector<std::string> warnings;

  /// All of it with defaults filled in, for the store. Order of keys and lists as written.
  Value canonical() const;
};

/// Reads, merges and checks. Every error is reported at once in one Error(usage), each with file:line:column and the
/// nearest valid name. `settings` are --set options.
Config load_config(const std::vector<std::filesystem::path>& paths, const std::vector<std::string>& settings = {});

/// The same for who makes its prompts only: whatever strategies it names, `full` alone is read, so that score files and
/// auxiliary models may be still to come.
Config load_prompt_config(const std::vector<std::filesystem::path>& paths,
                          const std::vector<std::string>& settings = {});

/// The same from one config's text; `name` stands for the file in messages, relative data files are looked up in the
/// working directory.
Config parse_config(const std::string& text, const std::string& name, const std::vector<std::string>& settings = {});

/// The same from a tree: what load_config does after reading.
Config make_config(const ConfigSource& source);

/// Every key a config may have, in the order that explains it, with the declarations that the reader reads by. "cache.disk": a key
/// of the map `cache`. Required ones say so instead of a default.
std::vector<ParamInfo> config_keys();

/// What whoever runs a strategy has to be warned of: "cacheblend_repo: mask bottom_right lets …"; empty: nothing.
std::string strategy_warning(const Strategy& strategy);

/// The devices that "cuda:0,2" names, one worker each: "cuda:0" and "cuda:2"; any other name stands for itself.
std::vector<std::string> device_list(const std::string& device);

/// What is wrong with a device's name ("device 'gpu' is none of …"); empty: nothing.
std::string device_error(const std::string& device);

/// Threads of each of the workers that `device` has: a run's (0: all of `processors`) are shared by them, one each at least.
/// 0 where a worker is alone and was given no number.
int threads_of_worker(const std::string& device, int threads, int processors);

/// Bytes of "20GiB", "512 MB", "1.5G" or a plain number of bytes. Throws Error(usage) with the place.
std::uint64_t parse_size(const Value& value);

}  // namespace kvmend
