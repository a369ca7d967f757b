#include "datasets/sample_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/utf8.h"

namespace kvmend {
namespace {

using Json = nlohmann::ordered_json;

/// Where each unit, then the query, then the answer prefix begins in the prompt's text; the last is its end.
std::vector<std::size_t> text_borders(const Prompt& prompt) {
  const Request& r = prompt.request;
  std::vector<std::size_t> out{0};
  for (const Unit& unit : r.units) {
    const std::size_t end = utf8::ceil_boundary(r.text, r.token_end[static_cast<std::size_t>(unit.end) - 1]);
    out.push_back(std::max(end, out.back()));
  }
  out.push_back(std::max(prompt.answer_begin, out.back()));
  out.push_back(r.text.size());
  return out;
}

Json ids_between(const std::vector<std::int32_t>& ids, int begin, int end) {
  return std::vector<std::int32_t>(ids.begin() + begin, ids.begin() + end);
}

Json units_json(const Prompt& prompt, const std::vector<std::size_t>& borders) {
  Json out = Json::array();
  for (std::size_t u = 0; u < prompt.request.units.size(); ++u) {
    const Unit& unit = prompt.request.units[u];
    out.push_back({{"kind", unit.kind == UnitKind::prefix ? "prefix" : "chunk"},
                   {"text", prompt.request.text.substr(borders[u], borders[u + 1] - borders[u])},
                   {"tokens", unit.size()}});
  }
  return out;
}

/// Byte spans of the evidence within the texts of the units it touches: one entry a unit.
Json evidence_json(const Prompt& prompt, const std::vector<std::size_t>& borders, std::size_t context_begin) {
  Json out = Json::array();
  for (std::size_t e = 0; e < prompt.sample.evidence.size(); ++e) {
    const std::size_t begin = context_begin + prompt.sample.evidence[e].begin;
    const std::size_t end = context_begin + prompt.sample.evidence[e].end;
    for (std::size_t u = 0; u < prompt.request.units.size(); ++u) {
      const std::size_t from = std::max(begin, borders[u]), to = std::min(end, borders[u + 1]);
      if (from >= to) continue;
      out.push_back({{"unit", u},
                     {"begin", from - borders[u]},
                     {"end", to - borders[u]},
                     {"cut", static_cast<bool>(prompt.evidence_cut[e])}});
    }
  }
  return out;
}

/// The question's bytes within the query's text [begin, end), which may begin a few bytes behind the sample's own.
Json question_json(const Prompt& prompt, std::size_t begin, std::size_t end) {
  const ByteSpan& question = prompt.sample.question;
  if (question.begin >= question.end) return {0, end - begin};
  const auto inside = [&](std::size_t offset) { return std::clamp(prompt.query_begin + offset, begin, end) - begin; };
  return {inside(question.begin), inside(question.end)};
}

void add_ids(Json& out, const Request& r) {
  out["prefix_ids"] = r.has_prefix() ? ids_between(r.context_ids, 0, r.units.front().end) : Json::array();
  Json chunks = Json::array();
  for (const Unit& unit : r.units) {
    if (unit.kind == UnitKind::chunk) chunks.push_back(ids_between(r.context_ids, unit.begin, unit.end));
  }
  out["chunk_ids"] = chunks;
  out["query_ids"] = r.query_ids;
  out["question_tokens"] = {r.question_begin, r.question_end};
}

}  // namespace

std::string sample_json(const Prompt& prompt, const Tokenizer& tokenizer) {
  const TaskSample& sample = prompt.sample;
  const Request& r = prompt.request;
  const auto borders = text_borders(prompt);
  const std::size_t query_begin = borders[r.units.size()], answer_begin = borders[r.units.size() + 1];
  Json out;
  out["id"] = sample.id;
  out["units"] = units_json(prompt, borders);
  out["query"] = r.text.substr(query_begin, answer_begin - query_begin);
  out["question"] = question_json(prompt, query_begin, answer_begin);
  out["answer_prefix"] = r.text.substr(answer_begin);
  out["references"] = sample.references;
  out["all_classes"] = sample.all_classes;
  out["evidence"] = evidence_json(prompt, borders, prompt.context_begin);
  out["stop"] = sample.stop;
  out["max_new_tokens"] = sample.max_new_tokens;
  out["metric"] = sample.metric;
  out["cluster"] = sample.cluster;
  out["n_context"] = r.n_context();
  out["n_query"] = r.n_query();
  out["hash"] = prompt.hash;
  out["tokenizer"] = tokenizer.fingerprint();
  add_ids(out, r);
  // A user's text may hold bytes that are no UTF-8: JSON cannot; the ids still can.
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kvmend
