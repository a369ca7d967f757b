#pragma once
// A strategy as configs name it: a selector with its parameters, and the options that every strategy takes.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/params.h"
#include "core/value.h"

namespace kvmend {

class Selector;

enum class ExactRows : std::uint8_t { last, compete };
enum class MaskKind : std::uint8_t { exact, bottom_right };
enum class Freshness : std::uint8_t { all, last_token };
enum class SinkKind : std::uint8_t { none, bos_first_only, shared_prefix, dummy_bos, keep_bos };
/// What a recomputed row leaves in the cache: its own keys and values, or θ·new + (1 − θ)·cached with θ = max(0, cos(new,
/// cached)) per token and layer, keys and values apart (SamKV, arXiv 2508.11661).
enum class WriteBack : std::uint8_t { overwrite, fusion };

template <>
struct EnumNames<WriteBack> {
  static constexpr std::array names{std::pair{WriteBack::overwrite, "overwrite"},
                                    std::pair{WriteBack::fusion, "fusion"}};
};
template <>
struct EnumNames<ExactRows> {
  static constexpr std::array names{std::pair{ExactRows::last, "last"}, std::pair{ExactRows::compete, "compete"}};
};
template <>
struct EnumNames<MaskKind> {
  static constexpr std::array names{std::pair{MaskKind::exact, "exact"},
                                    std::pair{MaskKind::bottom_right, "bottom_right"}};
};
template <>
struct EnumNames<Freshness> {
  static constexpr std::array names{std::pair{Freshness::all, "all"}, std::pair{Freshness::last_token, "last_token"}};
};
template <>
struct EnumNames<SinkKind> {
  static constexpr std::array names{
      std::pair{SinkKind::none, "none"}, std::pair{SinkKind::bos_first_only, "bos_first_only"},
      std::pair{SinkKind::shared_prefix, "shared_prefix"}, std::pair{SinkKind::dummy_bos, "dummy_bos"},
      std::pair{SinkKind::keep_bos, "keep_bos"}};
};

/// Options of every strategy (STRATEGIES §0). A selector or preset may change the defaults.
struct CommonOptions {
  std::string as;  ///< the name tables print; empty: the strategy's own with its parameters
  SinkKind sink = SinkKind::none;
  int sink_tokens = 4;  ///< dummy_bos only
  int neighbours = 0;   ///< chunks that a chunk is prefilled behind, offline
  ExactRows exact_rows = ExactRows::last;
  MaskKind mask = MaskKind::exact;
  Freshness freshness = Freshness::all;
  WriteBack write_back = WriteBack::overwrite;
  double temperature = 1, temper_scale = 1;
  template <class V>
  static void fields(CommonOptions& p, V& v) {
    v("as", p.as, "name in tables");
    v("sink", p.sink, "what chunks are prefilled behind");
    v("sink_tokens", p.sink_tokens, "BOS tokens of sink dummy_bos", between(1, 64));
    v("neighbours", p.neighbours, "a chunk is prefilled behind its nearest chunks, whose rows are dropped",
      between(0, 64));
    v("exact_rows", p.exact_rows, "rows that are exact anyway: rank last, or compete for the budget");
    v("mask", p.mask, "exact causal, or the bottom-right mask of released code");
    v("freshness", p.freshness, "query tokens recomputed: all, or only the last (released scripts)");
    v("write_back", p.write_back, "recomputed rows replace the cached ones, or are blended with them by their cosine");
    v("temperature", p.temperature, "the query's logits of chunk keys are divided by it (APE's T)", between(0.01, 100));
    v("temper_scale", p.temper_scale, "and ln of it is added to them (APE's S)", between(0.01, 100));
  }
};

/// What `kvmend list strategies` shows.
struct StrategyInfo {
  std::string name;
  std::string summary;  ///< one line
  std::string source;   ///< "arXiv 2602.02579"
  std::string labels;   ///< how sure each detail is: "[2] algorithm 1; [O] query_span" (STRATEGIES: labels)
  /// What readers must be told wherever its results are printed: "approximation; the paper gives no formula". Up to the
  /// semicolon it stands behind the name in figures. Usually empty.
  std::string note;
  int version = 1;         ///< semantic version of what it computes: part of cell keys
  bool uses_ratio = true;  ///< false: one cell whatever `ratios` says (full, reuse, link0, a k that is given …)
  std::vector<ParamInfo> params;        ///< its own, then the common ones
  std::vector<std::string> exemptions;  ///< invariants it cannot meet, each with the reason
  std::string plugin;                   ///< the file that --plugin loaded it from; empty: built in
  bool moves_keys = true;               ///< it places caches anew, which a model with learned positions refuses
};

/// A configured strategy, ready to run. Immutable; shared by worker and supervisor code.
struct Strategy {
  StrategyInfo info;
  CommonOptions options;
  Value canonical;    ///< {strategy: name, version: n, every parameter: value} without `as`: what cell keys hash
  std::string label;  ///< `as`, or the name with the parameters that were given: "prophetkv (fusion: max)"
  std::shared_ptr<const Selector> selector;
};

std::vector<StrategyInfo> list_strategies();

/// What tables call a strategy: `as`, or its name with the parameters that were given.
std::string strategy_label(const std::string& name, const CommonOptions& options, const Value& given);

/// A strategy by itself, or a part of a composition, whose common options are the composition's.
enum class StrategyRole : std::uint8_t { whole, part };

/// `params` is a map of parameters or null; axis lists are already expanded. Errors are collected with their
/// places; returns null if any were added.
std::shared_ptr<const Strategy> make_strategy(const std::string& name, const Location& where, const Value& params,
                                              ParamErrors& errors, StrategyRole role = StrategyRole::whole);

/// Expands list-valued scalar parameters into the product of their values: {window: [4, 8]} → 2 maps. A
/// parameter whose type is a list expands only from a list of lists.
std::vector<Value> expand_axes(const Value& params, const std::vector<ParamInfo>& infos);

}  // namespace kvmend
