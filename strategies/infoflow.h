#pragma once
#include "recompute/selector.h"

namespace kvmend::infoflow {

enum class Norm : std::uint8_t { l2, sum };
enum class Query : std::uint8_t { question_alone, in_place };
enum class Score : std::uint8_t { attention_norm, vatp, entropy };
enum class Geometry : std::uint8_t { global, hl_hp, tl_tp, hl_tp };

struct Params {
  Norm norm = Norm::l2;
  std::vector<int> layers;
  Query query = Query::question_alone;
  bool exclude_first_chunk = true;
  Score score = Score::attention_norm;
  Geometry geometry = Geometry::global;
  template <class V>
  static void fields(Params& p, V& v) {
    v("norm", p.norm, "over the question's tokens: l2 (its code), or the paper's column sum");
    v("layers", p.layers, "layers that vote, increasing; empty: floor(22*L/36) to floor(25*L/36)");
    v("query", p.query, "the raw question, tokenised alone, behind the context; or its rows inside the whole query");
    v("exclude_first_chunk", p.exclude_first_chunk, "prefix and first passage rank last");
    v("score", p.score, "attention_norm; vatp: times the values' norm; entropy of the mean attention");
    v("geometry", p.geometry, "where keys and question stand: local/near, moved/near or local/far");
  }
  void check(ParamErrors& errors, const Location& where) const;
};

/// [N]: how strongly the question attends to each context token (arXiv 2603.05353 and its code), with keys and
/// question placed as `geometry` says.
std::vector<float> score(Probe& probe, const Params& params, Geometry geometry);

/// The layers that vote in a model of L layers.
std::vector<int> layers(const Params& params, int n_layers);

}  // namespace kvmend::infoflow

template <>
struct kvmend::EnumNames<kvmend::infoflow::Norm> {
  static constexpr std::array names{std::pair{infoflow::Norm::l2, "l2"}, std::pair{infoflow::Norm::sum, "sum"}};
};
template <>
struct kvmend::EnumNames<kvmend::infoflow::Query> {
  static constexpr std::array names{std::pair{infoflow::Query::question_alone, "question_alone"},
                                    std::pair{infoflow::Query::in_place, "in_place"}};
};
template <>
struct kvmend::EnumNames<kvmend::infoflow::Score> {
  static constexpr std::array names{std::pair{infoflow::Score::attention_norm, "attention_norm"},
                                    std::pair{infoflow::Score::vatp, "vatp"},
                                    std::pair{infoflow::Score::entropy, "entropy"}};
};
template <>
struct kvmend::EnumNames<kvmend::infoflow::Geometry> {
  static constexpr std::array names{
      std::pair{infoflow::Geometry::global, "global"}, std::pair{infoflow::Geometry::hl_hp, "hl_hp"},
      std::pair{infoflow::Geometry::tl_tp, "tl_tp"}, std::pair{infoflow::Geometry::hl_tp, "hl_tp"}};
};
