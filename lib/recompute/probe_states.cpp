// Probes of states rather than attention: deviations, norms, named intermediates, what the units' own prefills had.
#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

#include "core/error.h"
#include "recompute/answer.h"
#include "recompute/pass_over.h"
#include "recompute/rows.h"

namespace kvmend {
namespace {

/// Mean over rows [begin, end) of [rows, width].
std::vector<float> mean_row(std::span<const float> rows, std::size_t width, int begin, int end) {
  std::vector<double> sum(width);
  for (int r = begin; r < end; ++r) {
    for (std::size_t c = 0; c < width; ++c) sum[c] += rows[static_cast<std::size_t>(r) * width + c];
  }
  std::vector<float> out(width);
  for (std::size_t c = 0; c < width; ++c) out[c] = static_cast<float>(sum[c] / std::max(1, end - begin));
  return out;
}

}  // namespace

KvDeviation RequestProbe::kv_deviation(const std::vector<int>& asked) {
  const std::vector<int> layers = checked_layers(asked, n_layers());
  const Answer& found = answer(fmt::format("kv deviation [{}]", fmt::join(layers, ",")),
                               [&](Answer& out) { compute_deviation(layers, out); });
  KvDeviation out;
  for (const auto& row : found.rows()) (out.keys.size() == out.values.size() ? out.keys : out.values).push_back(row);
  return out;
}

/// Keys, then values, of each layer asked; the last one needs its projection only.
void RequestProbe::compute_deviation(const std::vector<int>& layers, Answer& out) {
  Queue& queue = engine_.queue();
  const BasePtr placed = base(Placement::global);
  Pass pass = full_pass(context_.sequence());
  const auto n = static_cast<std::int64_t>(request().n_context());
  std::vector<Tensor> found;
  while (found.size() < 2 * layers.size()) {
    pass.begin_layer();
    const int layer = pass.layer();
    if (layer == layers[found.size() / 2]) {
      const LayerKv fresh = pass.projected(), &cached = placed->layer(layer);
      for (const auto& [a, b] : {std::pair{fresh.k, cached.k}, {fresh.v, cached.v}}) {
        found.push_back(engine_.backend().allocate(DType::f32, n, 1));
        queue.row_deviation(found.back(), a.row_range(0, n), b.row_range(0, n));
      }
    }
    if (found.size() < 2 * layers.size()) pass.end_layer();
  }
  for (std::size_t f = 0; f < found.size(); ++f) {
    std::vector<float> row = downloaded(queue, found[f]);
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (context_.sequence().unchanged(engine_.model().config(), layers[f / 2], static_cast<int>(i))) {
        row[i] = 0;  // else float noise ranks them
      }
    }
    out.add(row);
  }
}

std::span<const float> RequestProbe::hidden_norm(int layer) {
  if (layer < 0 || layer > n_layers()) {
    fail(ErrorKind::usage, "hidden states exist at layers 0 to {}, not {}", n_layers(), layer);
  }
  const Answer& found = answer(fmt::format("hidden norm {}", layer), [&](Answer& out) {
    const int n = request().n_context();
    if (n == 0) {
      out.add({});
      return;
    }
    Pass pass(engine_.model(), engine_.queue(), pass_over(context_.sequence(), 0, n));  // the query changes nothing
    pass.run_until(layer);
    const Tensor squares = engine_.backend().allocate(DType::f32, n, 1);
    engine_.queue().row_deviation(squares, pass.hidden().row_range(0, n));
    std::vector<float> norms = downloaded(engine_.queue(), squares);
    for (float& norm : norms) norm = std::sqrt(norm);
    out.add(norms);
  });
  return found.rows().front();
}

std::vector<std::span<const float>> RequestProbe::observe(const Observation& what) {
  const int end = what.what == Observation::What::hidden ? n_layers() + 1 : n_layers();
  const std::vector<int> layers = checked_layers(what.layers, end);
  if (what.kept && what.rows == Observation::Rows::context) {
    fail(ErrorKind::usage, "context tokens are observed in a full prefill: it keeps all of them");
  }
  const std::string key = fmt::format("observe {} {} {} [{}] [{}]", static_cast<int>(what.rows),
                                      static_cast<int>(what.what), what.kept ? "of" : "all",
                                      fmt::join(what.kept.value_or(std::vector<int>()), ","), fmt::join(layers, ","));
  return answer(key, [&](Answer& out) { compute_observation(what, layers, out); }).rows();
}

void RequestProbe::compute_observation(const Observation& what, const std::vector<int>& layers, Answer& out) {
  Queue& queue = engine_.queue();
  Sequence sequence = context_.sequence();
  const int n = sequence.n_context;
  if (what.kept) {
    sequence.kept.assign(sequence.ids.size(), 0);
    for (const int i : *what.kept) sequence.kept.at(static_cast<std::size_t>(i)) = 1;
    std::fill(sequence.kept.begin() + n, sequence.kept.end(), 1);
  }
  const bool query = what.rows == Observation::Rows::query;
  PassSpec spec = query ? pass_over(sequence, n, sequence.size()) : pass_over(sequence, 0, n);
  if (query) spec.base = base(Placement::global);
  spec.keep_unrotated = what.what == Observation::What::k;
  spec.keep_unrotated_q = what.what == Observation::What::q;
  if (spec.active.empty()) {  // a context of no tokens has no rows in each of the layers
    for (std::size_t i = 0; i < layers.size(); ++i) out.add({});
    return;
  }
  Pass pass(engine_.model(), queue, std::move(spec));
  std::vector<Tensor> found;  // downloaded at the end: no host round trip inside the pass
  const auto download = [&] {
    for (const Tensor& states : found) out.add(downloaded(queue, states));
    found.clear();
  };
  for (std::size_t next = 0; next < layers.size(); ++next) {
    pass.run_until(layers[next]);
    if (what.what == Observation::What::hidden) {
      found.push_back(pass.hidden());
      download();  // the next layer goes on in the same memory
      continue;
    }
    pass.begin_layer();
    switch (what.what) {
      case Observation::What::q: found.push_back(pass.unrotated_q()); break;
      case Observation::What::k: found.push_back(pass.unrotated().back()); break;
      default: found.push_back(pass.projected().v); break;
    }
    // Keys and values stay as the pass's own; a whole context's queries of every layer would take as much again.
    if (what.what == Observation::What::q && !query) download();
    if (next + 1 < layers.size()) pass.end_layer();
  }
  download();
}

std::vector<std::span<const float>> RequestProbe::cached_means(Observation::What what,
                                                               std::span<const TokenRange> ranges) {
  std::string key = fmt::format("cached means {}", static_cast<int>(what));
  for (const TokenRange& range : ranges) key += fmt::format(" {}-{}", range.begin, range.end);
  if (what == Observation::What::hidden) fail(ErrorKind::usage, "a chunk's cache holds no hidden states");
  const auto found = answers_.find(key);
  if (found == answers_.end()) {  // never used(): offline work is charged to nobody
    auto fresh = std::make_unique<Answer>();
    ledger_->measure([&] { compute_means(what, ranges, *fresh); });
    return answers_.emplace(key, std::move(fresh)).first->second->rows();
  }
  return found->second->rows();
}

/// [n_layers] of [rows, width]: the unit's states in its own prefill. Queries are not stored: it runs again.
std::vector<std::vector<float>> RequestProbe::chunk_states(Observation::What what, std::size_t unit) {
  Queue& queue = engine_.queue();
  std::vector<std::vector<float>> out;
  if (what != Observation::What::q) {
    for (const LayerKv& layer : context_.chunk(unit).layers) {
      out.push_back(downloaded(queue, what == Observation::What::k ? layer.k : layer.v));
    }
    return out;
  }
  std::vector<std::int32_t> ids = context_.sink_of(unit);
  const auto sink = static_cast<std::int64_t>(ids.size());
  const Unit& span = context_.units()[unit];
  const auto& all = context_.sequence().ids;
  ids.insert(ids.end(), all.begin() + span.begin, all.begin() + span.end);
  const Sequence sequence = make_sequence(ids);
  PassSpec spec = pass_over(sequence);
  spec.keep_unrotated_q = true;
  Pass pass(engine_.model(), queue, std::move(spec));
  for (int layer = 0; layer < n_layers(); ++layer) {
    if (layer > 0) pass.end_layer();
    pass.begin_layer();
    out.push_back(downloaded(queue, pass.unrotated_q().row_range(sink, span.size())));
  }
  return out;
}

void RequestProbe::compute_means(Observation::What what, std::span<const TokenRange> ranges, Answer& out) {
  const auto layers = static_cast<std::size_t>(n_layers());
  std::vector<std::vector<std::vector<float>>> means(layers, std::vector<std::vector<float>>(ranges.size()));
  for (std::size_t u = 0; u < request().units.size(); ++u) {
    const Unit& unit = request().units[u];
    std::vector<std::vector<float>> states;
    for (std::size_t r = 0; r < ranges.size(); ++r) {
      if (ranges[r].begin < unit.begin || ranges[r].begin >= unit.end) continue;
      require(ranges[r].end <= unit.end, "a range of cached states lies in one unit");
      if (states.empty()) states = chunk_states(what, u);
      for (std::size_t l = 0; l < layers; ++l) {
        const std::size_t width = states[l].size() / static_cast<std::size_t>(unit.size());
        means[l][r] = mean_row(states[l], width, ranges[r].begin - unit.begin, ranges[r].end - unit.begin);
      }
    }
  }
  for (const auto& layer : means) {
    std::vector<float> row;
    for (const auto& mean : layer) row.insert(row.end(), mean.begin(), mean.end());
    out.add(row);
  }
}

}  // namespace kvmend
