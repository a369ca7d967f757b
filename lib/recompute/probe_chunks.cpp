// Attention by chunk: how much of what a chunk's tokens attend to lies outside it, and a query behind each chunk alone.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "recompute/answer.h"
#include "recompute/mass_reader.h"
#include "recompute/pass_over.h"
#include "recompute/rows.h"

namespace kvmend {

/// A set of keys' share of a row's softmax is exp(lse of the set − lse of all): three attention calls, no matrix.
void RequestProbe::compute_chunk_attention(int layer, Answer& out) {
  Queue& queue = engine_.queue();
  const Request& r = request();
  const auto n = static_cast<std::size_t>(r.n_context());
  if (n == 0) {
    out.add({});
    out.add({});
    return;
  }
  // The query's rows change nothing here.
  Pass pass(engine_.model(), queue, pass_over(context_.sequence(), 0, r.n_context()));
  pass.run_until(layer);
  pass.begin_layer();

  const int prefix_end = context_.sequence().prefix_end;
  std::vector<Visibility::Interval> all, earlier, own;
  for (const Unit& unit : r.units) {
    const bool prefix = unit.kind == UnitKind::prefix;
    for (int i = unit.begin; i < unit.end; ++i) {
      const int first = context_.sequence().first_seen(engine_.model().config(), layer, i);
      const auto seen = [&](int begin, int end) {
        return Visibility::Interval{std::min(std::max(begin, first), end), end};
      };
      all.push_back(seen(0, i + 1));
      earlier.push_back(prefix ? Visibility::Interval{0, 0} : seen(prefix_end, unit.begin));
      own.push_back(prefix ? Visibility::Interval{0, 0} : seen(unit.begin, i + 1));
    }
  }
  const int heads = shape().n_heads;
  AttentionArgs args;
  args.q = pass.q();
  args.kv = pass.view();
  args.head_dim = shape().head_dim;
  args.scale = engine_.model().attention_scale();
  args.out = engine_.backend().allocate(DType::f32, static_cast<std::int64_t>(n), pass.q().cols());
  const auto lse_of = [&](const std::vector<Visibility::Interval>& intervals) {
    const Visibility visible = queue.visibility(intervals);
    args.visible = &visible;
    args.lse = engine_.backend().allocate(DType::f32, static_cast<std::int64_t>(n), heads);
    queue.attention(args);
    return downloaded(queue, args.lse);
  };
  const std::vector<float> whole = lse_of(all);
  for (const auto& part : {lse_of(earlier), lse_of(own)}) {
    std::vector<float> mass(n);
    for (std::size_t i = 0; i < part.size(); ++i) {
      mass[i / static_cast<std::size_t>(heads)] += std::exp(part[i] - whole[i]);
    }
    out.add(mass);
  }
}

ChunkAttention RequestProbe::chunk_attention(int layer) {
  if (layer < 0 || layer >= n_layers()) {
    fail(ErrorKind::usage, "layers are 0 to {}, not {}", n_layers() - 1, layer);
  }
  const auto rows = answer(fmt::format("chunk attention {}", layer), [&](Answer& out) {
                      compute_chunk_attention(layer, out);
                    }).rows();
  return {rows.at(0), rows.at(1)};
}

namespace {

/// A copy of the query for each chunk, which sees the prefix, the chunk and itself, at positions 0, 1, 2 …
struct LanePass {
  Sequence sequence;
  std::vector<Unit> chunks;
  PassSpec spec;
};

void add_lanes(LanePass& to, const Request& request, std::span<const std::int32_t> query) {
  Sequence& sequence = to.sequence;
  const int prefix = sequence.prefix_end, n_query = static_cast<int>(query.size());
  sequence.ids.resize(static_cast<std::size_t>(sequence.n_context));
  sequence.positions.resize(sequence.ids.size());
  for (const Unit& unit : request.units) {
    if (unit.kind == UnitKind::prefix) continue;
    to.chunks.push_back(unit);
    Lane lane{std::vector<int>(static_cast<std::size_t>(prefix + unit.size())), n_query};
    std::iota(lane.context.begin(), lane.context.begin() + prefix, 0);
    std::iota(lane.context.begin() + prefix, lane.context.end(), unit.begin);
    to.spec.lanes.push_back(std::move(lane));
    for (int i = 0; i < n_query; ++i) {
      to.spec.active.push_back(sequence.size());
      sequence.ids.push_back(query[static_cast<std::size_t>(i)]);
      sequence.positions.push_back(prefix + unit.size() + i);
    }
  }
}

}  // namespace

void RequestProbe::compute_attention_by_chunk(const AttentionProbe& what, const std::vector<int>& layers, Answer& out) {
  const std::vector<std::int32_t> query = query_as_run(what, request());
  const int n_query = static_cast<int>(query.size());
  LanePass lanes{context_.sequence(), {}, {}};
  const int n = lanes.sequence.n_context, prefix = lanes.sequence.prefix_end;
  const auto positions = context_.positions(Placement::parallel);
  std::copy_n(positions.begin(), n, lanes.sequence.positions.begin());
  add_lanes(lanes, request(), query);
  lanes.spec.sequence = &lanes.sequence;
  lanes.spec.base = base(Placement::parallel);
  Pass pass(engine_.model(), engine_.queue(), lanes.spec);

  const RowRange rows = asked_rows(what, request(), n_query);
  const auto read = [&](std::size_t lane, std::int64_t begin) {
    const int seen = prefix + lanes.chunks[lane].size();
    std::vector<Visibility::Interval> intervals;
    const ModelConfig& config = engine_.model().config();
    for (int i = rows.first; i < rows.last; ++i) {
      const int end = what.softmax == AttentionProbe::Softmax::context ? seen : seen + i + 1;
      const int first = config.is_windowed(pass.layer()) ? seen + i + 1 - config.sliding_window : 0;
      intervals.push_back({std::clamp(first, 0, end), end});
    }
    KvView view = pass.view();
    view.n_keys = seen + n_query;
    view.slots = view.slots.row_range(begin, view.n_keys);
    const Tensor q = pass.q().row_range(static_cast<std::int64_t>(lane) * n_query + rows.first, rows.last - rows.first);
    MassReader reader(engine_.model(), engine_.queue(), what, seen, view.n_keys);
    return std::pair{reader, reader.read(q, view, intervals)};
  };
  std::vector<std::vector<std::pair<MassReader, LayerMass>>> found;  // [layers asked][lanes]: downloaded at the end
  while (found.size() < layers.size()) {
    pass.begin_layer();
    if (pass.layer() == layers[found.size()]) {
      auto& here = found.emplace_back();
      std::int64_t begin = 0;
      for (std::size_t lane = 0; lane < lanes.chunks.size(); ++lane) {
        here.push_back(read(lane, begin));
        begin += prefix + lanes.chunks[lane].size() + n_query;
      }
    }
    if (found.size() < layers.size()) pass.end_layer();
  }
  for (auto& layer : found) {
    std::vector<float> row(static_cast<std::size_t>(n));
    for (std::size_t lane = 0; lane < layer.size(); ++lane) {
      const std::vector<float> mass = layer[lane].first.reduce(layer[lane].second);
      std::copy(mass.begin() + prefix, mass.end(), row.begin() + lanes.chunks[lane].begin);
    }
    out.add(row);
  }
}

std::vector<std::span<const float>> RequestProbe::attention_by_chunk(const AttentionProbe& what) {
  const std::vector<int> layers = checked_layers(what.layers, n_layers());
  const AttentionProbe defaults;
  if (what.states != defaults.states || what.weight != defaults.weight || what.cache != defaults.cache ||
      what.placement != defaults.placement || what.query_position || what.kept) {
    fail(ErrorKind::usage, "an attention probe by chunk has its states, cache and positions, and weighs by no values");
  }
  return answer("attention by chunk " + key_of(what, layers),
                [&](Answer& out) {
                  const auto n = static_cast<std::size_t>(request().n_context());
                  if (static_cast<int>(n) > context_.sequence().prefix_end) {
                    compute_attention_by_chunk(what, layers, out);
                  } else {  // no chunks
                    for (std::size_t l = 0; l < layers.size(); ++l) out.add(std::vector<float>(n));
                  }
                })
      .rows();
}

}  // namespace kvmend
