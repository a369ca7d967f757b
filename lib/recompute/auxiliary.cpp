#include "recompute/auxiliary.h"

#include <future>

#include "core/error.h"
#include "model/locate.h"
#include "recompute/request_probe.h"
#include "recompute/runner.h"
#include "recompute/selector.h"
#include "recompute/stopwatch.h"

namespace kvmend {
namespace {

/// Tokenises bytes [begin, end) of the text alone; spans are the text's.
std::vector<Token> encode_part(const Request& request, const Tokenizer& tokenizer, std::size_t begin, std::size_t end) {
  std::vector<Token> tokens = tokenizer.encode(std::string_view(request.text).substr(begin, end - begin));
  for (Token& token : tokens) {
    token.begin += static_cast<std::uint32_t>(begin);
    token.end += static_cast<std::uint32_t>(begin);
  }
  return tokens;
}

void append(Request& out, const std::vector<Token>& tokens, std::vector<std::int32_t>& ids) {
  for (const Token& token : tokens) {
    ids.push_back(token.id);
    out.token_begin.push_back(token.begin);
    out.token_end.push_back(token.end);
  }
}

}  // namespace

Request retokenize(const Request& request, const Tokenizer& tokenizer, const std::string& model) {
  if (request.text.empty()) {
    fail(ErrorKind::usage, "the auxiliary model {} needs the prompt's text; this request came as ids only", model);
  }
  const auto byte_begin = [&](int token) { return request.token_begin[static_cast<std::size_t>(token)]; };
  const auto byte_end = [&](int token) { return request.token_end[static_cast<std::size_t>(token)]; };
  Request out;
  out.text = request.text;
  for (const Unit& unit : request.units) {
    const int begin = out.n_context();
    append(out, encode_part(request, tokenizer, byte_begin(unit.begin), byte_end(unit.end - 1)), out.context_ids);
    if (out.n_context() == begin) {
      fail(ErrorKind::usage, "the auxiliary model {} has no token for the {} at bytes [{}, {})", model,
           unit.kind == UnitKind::prefix ? "prefix" : "chunk", byte_begin(unit.begin), byte_end(unit.end - 1));
    }
    out.units.push_back({unit.kind, begin, out.n_context()});
  }
  const int n = request.n_context();
  append(out, encode_part(request, tokenizer, byte_begin(n), byte_end(request.n_tokens() - 1)), out.query_ids);
  if (out.query_ids.empty()) fail(ErrorKind::usage, "the auxiliary model {} has no token for the query", model);
  // The question is what overlaps its bytes; at least one token.
  const auto from = byte_begin(n + request.question_begin), to = byte_end(n + request.question_end - 1);
  out.question_begin = 0;
  out.question_end = out.n_query();
  const auto end_of = [&](int i) { return out.token_end[static_cast<std::size_t>(out.n_context() + i)]; };
  const auto begin_of = [&](int i) { return out.token_begin[static_cast<std::size_t>(out.n_context() + i)]; };
  while (out.question_begin + 1 < out.n_query() && end_of(out.question_begin) <= from) ++out.question_begin;
  while (out.question_end - 1 > out.question_begin && begin_of(out.question_end - 1) >= to) --out.question_end;
  return out;
}

namespace {

void check_alignment(const Tokenizer& tokenizer) {
  const std::string text = "A magic number, 4572644: é, 漢字.\n\t";
  std::uint32_t covered = 0;
  for (const Token& token : tokenizer.encode(text)) {
    if (token.begin > covered) break;
    covered = std::max(covered, token.end);
  }
  if (covered < text.size()) fail(ErrorKind::usage, "its tokenizer does not say which bytes its tokens stand for");
}

}  // namespace

AuxiliaryFiles open_auxiliary(const Strategy& strategy, const std::string& name) {
  AuxiliaryFiles out;
  out.files = open_model(locate_model(name));
  check_auxiliary(strategy, name, out.files->config());
  out.tokenizer = make_tokenizer(*out.files);
  check_alignment(*out.tokenizer);
  return out;
}

void check_auxiliaries(const Strategy& strategy) {
  for (const std::string& name : strategy.selector->auxiliary_models()) {
    try {
      open_auxiliary(strategy, name);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: aux_model {}: {}", strategy.info.name, name, error.what()));
    }
  }
}

AuxiliaryRequest::AuxiliaryRequest(Engine& primary, const std::string& model, const ReusedContext& context,
                                   std::string sample_id)
    : engine_(primary.auxiliary(model).engine()), primary_layers_(primary.model().config().n_layers) {
  const Tokenizer& tokenizer = primary.auxiliary(model).tokenizer();
  request_ = retokenize(context.request(), tokenizer, model);
  const ModelConfig& config = engine_.model().config();
  check_request(request_, config.vocab, config.context_length);
  ReuseKey key = context.key();
  key.freshness = Freshness::all;
  context_ = std::make_unique<ReusedContext>(engine_, request_, key, tokenizer.bos());
  probe_ = std::make_unique<RequestProbe>(engine_, *context_, std::move(sample_id));
}

AuxiliaryRequest::~AuxiliaryRequest() = default;

void AuxiliaryRequest::run(ReusedContext& context, Ledger& primary, bool beside_placing,
                           const std::function<void(Probe&)>& work) {
  const Stopwatch watch;
  if (!used_) hides_ = beside_placing;
  used_ = true;
  // Its own model, backend, queue and threads: nothing is shared with what this thread does meanwhile.
  std::future<void> beside = std::async(std::launch::async, [&] { work(*probe_); });
  double own = 0;
  std::exception_ptr failure;
  try {
    primary.measure([&] { context.placed(Placement::global, primary).base->layer(primary_layers_ - 1); });
    own = watch.seconds();
  } catch (...) {
    failure = std::current_exception();
  }
  beside.wait();
  if (failure) std::rethrow_exception(failure);
  beside.get();
  primary.add_computed(std::max(0.0, watch.seconds() - own));
}

void AuxiliaryRequest::start_charging() {
  used_ = hides_ = false;
  probe_->start_charging();
}

OpCost AuxiliaryRequest::charged_ops() const { return used_ ? probe_->charged_ops() : OpCost(); }

double AuxiliaryRequest::charged_seconds() const {
  if (!used_) return 0;
  return probe_->charged_seconds(nullptr, 0) + context_->load_seconds();
}

}  // namespace kvmend
