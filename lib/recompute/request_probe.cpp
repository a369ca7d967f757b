#include "recompute/request_probe.h"

#include <algorithm>
#include <numeric>

#include <fmt/ranges.h>

#include "core/error.h"
#include "recompute/answer.h"
#include "recompute/arrange.h"
#include "recompute/auxiliary.h"
#include "recompute/pass_over.h"

namespace kvmend {

RequestProbe::RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id)
    : engine_(engine),
      context_(context),
      sample_id_(std::move(sample_id)),
      own_ledger_(std::make_unique<Ledger>(engine.queue())),
      ledger_(own_ledger_.get()) {}

RequestProbe::RequestProbe(Engine& engine, ReusedContext& context, std::string sample_id, Ledger& ledger)
    : engine_(engine), context_(context), sample_id_(std::move(sample_id)), ledger_(&ledger) {}

RequestProbe::~RequestProbe() = default;

std::vector<std::span<const float>> RequestProbe::Answer::rows() const {
  std::vector<std::span<const float>> out;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    out.push_back(std::span(values).subspan(begin, end - begin));
    begin = end;
  }
  return out;
}

void RequestProbe::start_charging() {
  ledger_->start();
  for (auto& [name, auxiliary] : auxiliaries_) auxiliary->start_charging();
}

OpCost RequestProbe::charged_ops() const {
  OpCost sum = ledger_->charged().ops;
  for (const auto& [name, auxiliary] : auxiliaries_) sum += auxiliary->charged_ops();
  return sum;
}

double RequestProbe::charged_seconds(const Charge* own, double beside) const {
  double sum = ledger_->charged().seconds + ledger_->placement_seconds(own);
  for (const auto& [name, auxiliary] : auxiliaries_) {
    sum += std::max(0.0, auxiliary->charged_seconds() - (auxiliary->hides() ? beside : 0));
  }
  return sum;
}

ModelShape RequestProbe::shape() const {
  const ModelConfig& c = engine_.model().config();
  return {c.n_layers, c.n_heads, c.n_kv_heads, c.head_dim, c.d_model};
}

std::vector<std::int32_t> RequestProbe::positions(Placement placement) const {
  std::vector<std::int32_t> out = context_.positions(placement);
  out.resize(static_cast<std::size_t>(request().n_context()));
  return out;
}

std::vector<int> RequestProbe::checked_layers(const std::vector<int>& layers, int end) const {
  if (layers.empty()) {
    std::vector<int> all(static_cast<std::size_t>(n_layers()));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  const bool increasing = std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) == layers.end();
  if (!increasing || layers.front() < 0 || layers.back() >= end) {
    fail(ErrorKind::usage, "layers [{}] of a probe must be increasing and below {}", fmt::join(layers, ", "), end);
  }
  return layers;
}

RequestProbe& RequestProbe::arrangement(std::span<const int> units) {
  const std::vector<int> key(units.begin(), units.end());
  const auto found = arrangements_.find(key);
  if (found != arrangements_.end()) return *found->second.probe;
  Arrangement& made = arrangements_[key];
  made.request = arrange(request(), units);
  made.context = std::make_unique<ReusedContext>(context_, made.request, key);
  made.probe.reset(new RequestProbe(engine_, *made.context, sample_id_, *ledger_));
  return *made.probe;
}

void RequestProbe::auxiliary(const std::string& model, const std::function<void(Probe&)>& work) {
  ledger_->measure([&] { engine_.auxiliary(model); });  // opening it the first time is nobody's online work
  auto made = auxiliaries_.find(model);
  if (made == auxiliaries_.end()) {
    auto fresh =
        std::make_unique<AuxiliaryRequest>(engine_, model, context_, sample_id_);  // throws where it has no text
    made = auxiliaries_.emplace(model, std::move(fresh)).first;
  }
  // Alone, the account would load and place now, unless a probe had it done before or another auxiliary model had.
  const bool beside_placing =
      !context_.used(Placement::global, *ledger_) &&
      std::none_of(auxiliaries_.begin(), auxiliaries_.end(), [](const auto& other) { return other.second->used(); });
  made->second->run(context_, *ledger_, beside_placing, work);
}

const Pass& RequestProbe::full_layers(int layer, const ChunkTemper& temper, WriteBack write_back) {
  const std::string what =
      fmt::format("full layers below {} T {} S {} {}", layer, temper.temperature, temper.scale, enum_name(write_back));
  const Answer& found = answer(what, [&](Answer& out) {
    PassSpec spec = pass_over(context_.sequence());
    spec.base = base(Placement::global);
    spec.temper = temper;
    spec.write_back = write_back;
    out.pass.emplace(engine_.model(), engine_.queue(), std::move(spec));
    out.pass->run_until(layer);
  });
  return *found.pass;
}

}  // namespace kvmend
